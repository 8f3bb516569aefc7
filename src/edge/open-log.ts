import { isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { Log, type LogOptions } from '../log/log.ts';

export interface OpenLogOptions extends LogOptions {
  /** Where it lies, for messages. */
  readonly dataDir: string;
}

/**
 * Opens the log. A disk that is full or failing may recover, and nobody is on site: so it is tried until it does, or until the
 * signal.
 * @throws OperatingError `data-folder-unusable`, `unreadable-format`
 */
export async function openLog(options: OpenLogOptions, signal: AbortSignal): Promise<Log> {
  const { clock, logger, dataDir } = options;
  for (let backoffMs: number = limits.openBackoffMsMin; ; backoffMs *= 2) {
    try {
      return await Log.open(options);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const told = unusable(dataDir, error);
      if (!mayRecover(error) || signal.aborted) throw told;
      logger.error({ cause: told.message }, 'the log cannot be opened; trying again');
      await clock.sleep(Math.min(backoffMs, limits.openBackoffMsMax), signal);
    }
  }
}

const unusable = (dataDir: string, cause: Error): OperatingError =>
  new OperatingError(
    'data-folder-unusable',
    `the log in ${dataDir} cannot be opened: ${messageOf(cause)}. Make room on the disk or replace it, ` +
      'or let this user write the data folder, and start again.',
    { cause },
  );

/** Whether it is the disk that is full or failing, rather than somebody who may not write there. */
const mayRecover = (cause: Error): boolean =>
  'code' in cause && ['ENOSPC', 'EDQUOT', 'EIO'].includes(String(cause.code));
