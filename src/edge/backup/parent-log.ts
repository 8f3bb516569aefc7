import { join } from 'node:path';
import { limits } from '../../core/limits.ts';
import { readFileAtMost } from '../../platform/bounded-file.ts';
import type { Backup } from './backup-document.ts';

/** The log that a gateway wrote before it was restored by a backup into a folder without one. */
export interface ParentLog {
  readonly logId: string;
  /** What that gateway was called. */
  readonly gateway: string;
  /** When its backup was made, ISO 8601 by its clock. */
  readonly madeAt: string;
}

/** In the data folder, beside the log that it is about. */
export const parentLogPath = (dataDir: string): string => join(dataDir, 'parent-log.json');

/** What {@link readParentLog} reads; null if the backup knows of no log. */
export function parentLogText({ parentLogId, gateway, madeAt }: Backup): string | null {
  if (parentLogId === null) return null;
  const parent: ParentLog = { logId: parentLogId, gateway, madeAt };
  return `${JSON.stringify(parent)}\n`;
}

/** Null if there is none, or none that can be read: it is provenance, for which no gateway is to stop. */
export async function readParentLog(dataDir: string): Promise<ParentLog | null> {
  try {
    const bytes = await readFileAtMost(parentLogPath(dataDir), limits.parentLogBytesMax);
    const { logId, gateway, madeAt } = JSON.parse(bytes?.toString('utf8') ?? 'null');
    const isText = [logId, gateway, madeAt].every((one) => typeof one === 'string');
    return isText ? { logId, gateway, madeAt } : null;
  } catch {
    return null;
  }
}
