import { execFile } from 'node:child_process';
import { isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/** The unit of the Debian package and of the image. */
const unit = 'headwater.service';

/**
 * What systemd's journal has of the packaged service, newest last and within its bounds.
 * @throws OperatingError `output-failed` if there is nothing that this user may read, or no journal
 */
export async function readServiceJournal(): Promise<readonly string[]> {
  const args = ['--unit', unit, '--lines', String(limits.supportJournalLinesMax), '--output', 'short-iso'];
  // The newest first, so that a bound takes away the oldest.
  const text = await output('journalctl', [...args, '--reverse', '--no-pager', '--quiet']);
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length === 0)
    throw unreadable(`it has nothing of ${unit}, or nothing that this user may read; try again with sudo`);
  return lines.toReversed();
}

function output(command: string, args: readonly string[]): Promise<string> {
  const bounds = { timeout: limits.supportJournalMsMax, maxBuffer: limits.supportJournalBytesMax };
  return new Promise((resolve, reject) => {
    execFile(command, [...args], bounds, (error, stdout) => {
      if (error === null) resolve(stdout);
      // The last line is cut somewhere.
      else if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
        resolve(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
      else if (isSystemError(error) && error.code === 'ENOENT')
        reject(unreadable('there is no journalctl here', error));
      else reject(unreadable(messageOf(error), error));
    });
  });
}

const unreadable = (why: string, cause?: unknown): OperatingError =>
  new OperatingError('output-failed', `the journal of systemd cannot be read: ${why}`, { cause });
