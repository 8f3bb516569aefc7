import { isOperatingError, messageOf, OperatingError } from '../core/errors.ts';

/** Why a log that is being closed takes nothing more. */
export const stopping = (): OperatingError =>
  new OperatingError(
    'log-unavailable',
    'the gateway is stopping; offer the same records again when it is back',
  );

/** Why a log takes nothing whose journal could not be recovered, because of this. */
export function unrecoverable(error: unknown): OperatingError {
  const reason = isOperatingError(error) ? error.message : `the disk says: ${messageOf(error)}`;
  const message = `the log cannot make anything durable (${reason}); it keeps trying`;
  return new OperatingError('log-unavailable', message, { cause: error });
}
