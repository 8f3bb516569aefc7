import process from 'node:process';
import { isOperatingError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type Addresses, removeGatewayFile, writeGatewayFile } from './gateway-file.ts';
import type { AdminPort } from './start-admin.ts';
import type { StartedParts } from './started-parts.ts';

export interface KeptGatewayFile {
  readonly dataDir: string;
  readonly addresses: Addresses;
  readonly tls: AdminPort['tls'];
  readonly parts: StartedParts;
  readonly logger: Logger;
}

/** Tells the command line where the gateway is, and which certificate it shows, until its stop; that may be another one some day. */
export async function keepGatewayFile(options: KeptGatewayFile): Promise<void> {
  const { dataDir, addresses, tls, parts, logger } = options;
  const write = () =>
    writeGatewayFile(dataDir, {
      pid: process.pid,
      ...addresses,
      adminFingerprint: tls?.status().fingerprint ?? null,
    });
  await write();
  let writing = Promise.resolve();
  let isOver = false;
  tls?.onChange(() => {
    const again = () => (isOver ? Promise.resolve() : write());
    writing = writing.then(again).catch((error: unknown) => {
      if (!isOperatingError(error)) throw error;
      logger.error(
        { error: error.message },
        'the command line cannot be told of the new certificate; make room on the disk or let this user write the data folder, and start again',
      );
    });
  });
  parts.add('gateway.json', async () => {
    isOver = true;
    await writing;
    await removeGatewayFile(dataDir);
  });
}
