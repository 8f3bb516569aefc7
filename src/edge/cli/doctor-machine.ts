import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { isClockSet, systemTimeService } from '../../platform/clock-check.ts';
import { fileSystemOf } from '../../platform/file-system.ts';
import { flushTimes } from '../../platform/flush-times.ts';
import { freeBytes } from '../../platform/free-space.ts';
import { whyNoFolder } from '../../platform/make-folder.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { piThrottledBits } from '../../platform/pi-power.ts';
import { claimCodePath } from '../admin/access/claim-code.ts';
import { examineCertificates, listenerKeyFiles } from '../certificate-examination.ts';
import { clusterSecretFiles } from '../cluster-credentials.ts';
import type { Config } from '../config/schema.ts';
import { identityFiles, isSecret } from '../identity-files.ts';
import type { MachineExamination } from '../machine-findings.ts';
import { openFileWarnings } from '../pem-files.ts';

/** Group and others: the gateway gives these files to nobody but its own user. */
const NOT_OWNER_MAY = 0o077;

/** Looks at the machine and the data folder, whether a gateway runs there or not. What cannot be looked at is part of the answer. */
export async function examineMachine(config: Config): Promise<MachineExamination> {
  const { data, forwarder } = config;
  const dataDir = resolve(data.dir);
  const { folder, flushMs } = await examineFolder(dataDir);
  const isThere = folder !== 'absent';
  const ownSecrets = [
    ...identityFiles.filter(isSecret).map(({ name }) => join(dataDir, name)),
    claimCodePath(dataDir),
  ];
  const givenSecrets = [...listenerKeyFiles(config), ...clusterSecretFiles(forwarder)];
  return {
    dataDir,
    isClockSet: await isClockSet(systemTimeService),
    folder,
    flushMs,
    fileSystem: isThere ? await fileSystemOf(dataDir) : null,
    freeBytes: isThere ? await freeBytes(dataDir).catch(() => null) : null,
    budgetBytes: data.budget ?? null,
    throttledBits: await piThrottledBits(),
    certificates: await examineCertificates(config),
    openFiles: await openFiles(ownSecrets),
    secretWarnings: await openFileWarnings(givenSecrets),
    nowMs: nodeClock.wallMs(),
  };
}

async function examineFolder(dataDir: string): Promise<Pick<MachineExamination, 'folder' | 'flushMs'>> {
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const { doctorFlushes: count, journalBlockBytes: blockBytes, doctorFlushTotalMsMax: totalMsMax } = limits;
    return { folder: 'there', flushMs: await flushTimes(dataDir, { count, blockBytes, totalMsMax }) };
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isAbsent) return { folder: { trouble: `cannot be written: ${messageOf(error)}` }, flushMs: [] };
    const reason = await whyNoFolder(dataDir);
    return {
      folder: reason === null ? 'absent' : { trouble: `cannot be made, since ${reason}` },
      flushMs: [],
    };
  }
}

async function openFiles(paths: readonly string[]): Promise<readonly string[]> {
  const modes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mode }) => mode,
        () => 0,
      ),
    ),
  );
  return paths.filter((_, index) => ((modes[index] ?? 0) & NOT_OWNER_MAY) !== 0);
}
