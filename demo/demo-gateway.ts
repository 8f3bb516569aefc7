import { readFile } from 'node:fs/promises';
import { noServiceManager } from '../src/core/service-manager.ts';
import { AdminClient } from '../src/edge/cli/admin-client.ts';
import { readConfig } from '../src/edge/config/read-config.ts';
import { Gateway } from '../src/edge/gateway.ts';
import { readGatewayFile } from '../src/edge/gateway-file.ts';
import { thisMachine } from '../src/edge/machine.ts';
import type { StatusReport } from '../src/edge/status.ts';
import type { OpenPort } from '../src/ingest/serial/port.ts';
import { until } from './until.ts';

/** A gateway in this process, as the demo needs it. */
export interface DemoGateway {
  /** Where it listens for MQTT, `host:port`. */
  readonly mqtt: string;
  readonly admin: AdminClient;
  stop(): Promise<void>;
}

/**
 * Starts a gateway on a data folder and free ports, with serial ports that are opened as given. It takes the times of the recording even
 * if nobody has set the clock of this machine. Rejects with what a start meets.
 */
export async function startDemoGateway(
  dataDir: string,
  openPort: OpenPort,
  signal: AbortSignal,
): Promise<DemoGateway> {
  const name = 'demo/demo.yaml';
  const text = await readFile(new URL('./demo.yaml', import.meta.url), 'utf8');
  const result = readConfig({
    file: { name, text },
    sets: [`data.dir=${JSON.stringify(dataDir)}`],
    workingDirectory: dataDir,
    hostName: 'demo',
  });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  const machine = {
    ...thisMachine,
    serialDevices: () => Promise.resolve([]),
    openPort,
    isClockSet: () => Promise.resolve(true),
    serviceManager: () => noServiceManager,
  };
  const gateway = await Gateway.start(
    result.config,
    () => Promise.resolve(result.config),
    { print: () => {} },
    signal,
    machine,
  );
  try {
    const addresses = await readGatewayFile(dataDir);
    const admin = await AdminClient.find(dataDir);
    // The times of devices count from then on.
    await until('the gateway has told how its clock is set', signal, async () => {
      return (await statusOf(admin)).clock.epoch !== null;
    });
    return { mqtt: addresses?.mqtt ?? '', admin, stop: () => gateway.stop() };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/** What the gateway says of itself. */
export const statusOf = async (admin: AdminClient): Promise<StatusReport> =>
  (await admin.json('GET', '/api/status')) as StatusReport;
