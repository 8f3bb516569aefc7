import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Who reads the service log: a person, systemd's journal, or whatever is behind a pipe or a file. */
export type LogTarget = 'terminal' | 'journal' | 'file';

/**
 * Who reads what is written to a file descriptor.
 * @param journalStream the variable `JOURNAL_STREAM`, in which systemd names device and inode of the journal's socket; it is
 *   inherited by those whose output goes elsewhere as well
 */
export function logTargetOf(fileDescriptor: number, journalStream: string | undefined): LogTarget {
  if (isatty(fileDescriptor)) return 'terminal';
  if (journalStream === undefined) return 'file';
  const { dev, ino } = fstatSync(fileDescriptor, { bigint: true });
  return journalStream === `${dev}:${ino}` ? 'journal' : 'file';
}
