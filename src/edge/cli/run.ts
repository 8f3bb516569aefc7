import { once } from 'node:events';
import type { LoadedConfig } from '../config/load-config.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** A gateway that runs. */
export interface RunningGateway {
  /** Stops ingest, makes what was accepted durable, and lets go of ports and data folder. */
  stop(): Promise<void>;
  /** Reads the configuration again, and says in the service log what became of it. */
  reload(): Promise<void>;
}

/**
 * Starts a gateway, which prints what its user needs to know; the signal ends what it waits for meanwhile.
 * @throws OperatingError for what a user can mend
 */
export type StartGateway = (
  loaded: LoadedConfig,
  log: { print(line: string): void },
  signal: AbortSignal,
) => Promise<RunningGateway>;

/**
 * `headwater run`: runs the gateway until SIGTERM or SIGINT, then stops it cleanly. A second signal ends the process
 * at once, which loses nothing that was acknowledged. SIGHUP has it read its configuration again.
 * @throws OperatingError if it cannot start
 */
export async function run(start: StartGateway, loaded: LoadedConfig, terminal: Terminal): Promise<ExitCode> {
  const print = (line: string): void => void terminal.output.write(`${line}\n`);
  const stopping = new AbortController();
  const stopAsked = once(stopping.signal, 'abort');
  let signals = 0;
  const ignoreSignals = terminal.onStopSignal(() => {
    signals++;
    if (signals > 1) terminal.exitNow(exitCodes.failed);
    else print('stopping; a second signal ends it at once');
    stopping.abort();
  });
  let gateway: RunningGateway | null = null;
  const ignoreReloads = terminal.onReloadSignal(() => {
    if (gateway === null) print('still starting, so that the configuration is not read again');
    else void gateway.reload();
  });
  try {
    print(`configuration: ${loaded.fileName ?? 'all defaults, no ./headwater.yaml here'}`);
    gateway = await start(loaded, { print }, stopping.signal);
    await stopAsked;
    await gateway.stop();
  } finally {
    ignoreSignals();
    ignoreReloads();
  }
  return exitCodes.ok;
}
