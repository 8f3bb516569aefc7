import { type ErrorCode, isOperatingError } from '../../core/errors.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import type { StatusReport } from '../status.ts';
import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodeFor, exitCodes } from './exit-code.ts';
import { RatesWatcher, type StatusRates } from './status-rates.ts';
import { statusText } from './status-text.ts';
import type { Terminal } from './terminal.ts';
import { wrappedLines } from './wrapped-lines.ts';

/** `headwater status`: how the running gateway is, for people or (`json`) for programs. Ends with 4 if it is degraded. */
export async function status(client: AdminClient, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const report = await fetchStatus(client);
  const { output } = terminal;
  await output.write(
    json
      ? `${JSON.stringify(report)}\n`
      : linesText(wrappedLines(shown(report, null), output.size?.columns ?? Number.POSITIVE_INFINITY)),
  );
  return codeOf(report);
}

export interface StatusWatch {
  /** Looks for the gateway, which may have been started anew, with other addresses. */
  readonly find: () => Promise<AdminClient>;
  readonly everyMs: number;
  readonly json: boolean;
}

/**
 * `headwater status --watch`: one report after the other, on a terminal in place, until Ctrl-C; then it ends with what the last one
 * said. A gateway that goes away is waited for.
 * @throws OperatingError as the first request does
 */
export async function watchStatus(
  { find, everyMs, json }: StatusWatch,
  terminal: Terminal,
): Promise<ExitCode> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ignoreSignals = terminal.onStopSignal(() => stopping.abort());
  const rates = new RatesWatcher();
  const screen = json ? null : new Screen(terminal);
  let code: ExitCode = exitCodes.ok;
  const look = async (): Promise<boolean> => {
    const report = await fetchStatus(await find(), signal);
    code = codeOf(report);
    if (screen === null) return await terminal.output.write(`${JSON.stringify(report)}\n`);
    return await screen.show(shown(report, rates.look(report, nodeClock.monotonicMs())));
  };
  const tellAway = async (error: Error): Promise<boolean> => {
    code = exitCodeFor(error) ?? exitCodes.failed;
    rates.forget();
    const json = { state: 'unreachable', reasons: [error.message] };
    if (screen === null) return await terminal.output.write(`${JSON.stringify(json)}\n`);
    return await screen.show(`the gateway does not answer; waiting for it\n${error.message}\n`);
  };
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const isSeen = await look().catch((error: unknown) => {
        if (signal.aborted) return false;
        if (isFirst || !isOperatingError(error) || !mayComeBack.has(error.code)) throw error;
        return tellAway(error);
      });
      if (!isSeen) break;
      await nodeClock.sleep(everyMs, signal);
    }
  } finally {
    ignoreSignals();
  }
  return code;
}

const mayComeBack: ReadonlySet<ErrorCode> = new Set([
  'gateway-not-running',
  'gateway-unreachable',
  'gateway-refused',
]);

const fetchStatus = async (client: AdminClient, signal?: AbortSignal): Promise<StatusReport> =>
  (await client.json('GET', '/api/status', undefined, signal)) as StatusReport;

const shown = (report: StatusReport, rates: StatusRates | null): string =>
  statusText(report, nodeClock.wallMs(), rates);

const codeOf = ({ state }: StatusReport): ExitCode => (state === 'ready' ? exitCodes.ok : exitCodes.degraded);

const linesText = (lines: readonly string[]): string => lines.join('\n');

/** Where reports are shown: over each other on a terminal, else below each other. */
class Screen {
  readonly #output: Terminal['output'];
  #isCleared = false;

  constructor({ output }: Terminal) {
    this.#output = output;
  }

  /** Resolves to false once nobody reads any more. */
  async show(text: string): Promise<boolean> {
    const { size } = this.#output;
    if (size === undefined) return await this.#output.write(`${text}\n`);
    const clear = this.#isCleared ? '' : clearScreen;
    this.#isCleared = true;
    const lines = wrappedLines(text.trimEnd(), size.columns);
    // The cursor is left below them.
    const room = Math.max(1, size.rows - 1);
    const rest = lines.length - room + 1;
    const fitting =
      lines.length <= room ? lines : [...lines.slice(0, room - 1), cut(`… ${rest} lines more`, size.columns)];
    const drawn = fitting.map((line) => `${line}${eraseRestOfLine}\n`).join('');
    return await this.#output.write(`${clear}${toTop}${drawn}${eraseBelow}`);
  }
}

const cut = (text: string, columns: number): string => text.slice(0, columns);

const clearScreen = '\u001b[2J';
const toTop = '\u001b[H';
const eraseRestOfLine = '\u001b[K';
const eraseBelow = '\u001b[J';
