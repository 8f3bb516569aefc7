import { isOperatingError, messageOf, OperatingError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';

/** Why a log that is being closed takes nothing more. */
export const stopping = (): OperatingError =>
  new OperatingError(
    'log-unavailable',
    'the gateway is stopping; offer the same records again when it is back',
  );

/** Why a log takes nothing whose journal could not be recovered, because of this; the service log says so, too. */
export function toldUnrecoverable({ logger }: { logger: Logger }, error: unknown): OperatingError {
  logger.error(
    { cause: messageOf(error) },
    'the journal cannot be recovered, readings are refused; make room on the disk or replace it',
  );
  const reason = isOperatingError(error) ? error.message : `the disk says: ${messageOf(error)}`;
  const message = `the log cannot make anything durable (${reason}); it keeps trying`;
  return new OperatingError('log-unavailable', message, { cause: error });
}

/** Says that the journal is recovered because of this. */
export function tellRecovery(
  { logger, metrics }: { logger: Logger; metrics: Metrics },
  cause: unknown,
): void {
  const told = 'a write or sync of the journal failed; recovering it. Replace the card if this repeats';
  logger.error({ cause: messageOf(cause) }, told);
  metrics.add('headwater_journal_recoveries_total', 1);
}
