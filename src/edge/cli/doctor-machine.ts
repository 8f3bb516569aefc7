import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { isClockSet, systemTimeService } from '../../platform/clock-check.ts';
import { fileSystemOf } from '../../platform/file-system.ts';
import { flushTimes } from '../../platform/flush-times.ts';
import { freeBytes } from '../../platform/free-space.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { piThrottledBits } from '../../platform/pi-power.ts';
import type { Config } from '../config/schema.ts';
import { identityFiles, isSecret } from '../identity-files.ts';
import { certificateFile } from '../listeners/certificate-file.ts';
import type { MachineExamination } from '../machine-findings.ts';
import { readCertificates } from '../pem-files.ts';

const OTHERS_MAY_READ = 0o004;

/** Looks at the machine and the data folder, whether a gateway runs there or not. What cannot be looked at is part of the answer. */
export async function examineMachine({ data, mqtt }: Config): Promise<MachineExamination> {
  const dataDir = resolve(data.dir);
  const { folder, flushMs } = await examineFolder(dataDir);
  const isThere = folder !== 'absent';
  const certificateProblems: string[] = [];
  const certificates =
    mqtt.tls === undefined || (mqtt.tls.certFile === undefined && !isThere)
      ? []
      : await readCertificates('mqtt.tls', certificateFile(mqtt, dataDir), certificateProblems);
  return {
    dataDir,
    isClockSet: await isClockSet(systemTimeService),
    folder,
    flushMs,
    fileSystem: isThere ? await fileSystemOf(dataDir) : null,
    freeBytes: isThere ? await freeBytes(dataDir).catch(() => null) : null,
    budgetBytes: data.budget ?? null,
    throttledBits: await piThrottledBits(),
    certificateEndMs: certificates[0]?.validToDate.getTime() ?? null,
    certificateProblems,
    openFiles: await openFiles(identityFiles.filter(isSecret).map(({ name }) => join(dataDir, name))),
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
    return { folder: isAbsent ? 'absent' : { trouble: messageOf(error) }, flushMs: [] };
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
  return paths.filter((_, index) => ((modes[index] ?? 0) & OTHERS_MAY_READ) !== 0);
}
