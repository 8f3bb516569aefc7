import { limits } from '../../core/limits.ts';
import type { Failure } from '../cluster/target.ts';
import { type Care, isSuspected } from './objections.ts';

/* What a failure says about the next attempt. Pure, like the mirror itself. */

/**
 * The failure of a transaction of this age, as it is to be understood. Who ends one that takes too long fences its
 * producer: then it is less likely that another gateway did.
 */
export function explained(failure: Failure, elapsedMs: number): Failure {
  const { kind, cause = kind, objections } = failure;
  const isRefused = kind === 'fenced' || (kind === 'refused' && objections === undefined);
  if (!isRefused || elapsedMs < limits.transactionTimeoutMs) return failure;
  const message =
    `the transaction took ${Math.round(elapsedMs / 1000)} s, and the cluster ends those that take longer than ` +
    `${limits.transactionTimeoutMs / 1000} s (${cause}): the link is too slow for it, the next one is smaller`;
  return { kind: 'slow', cause, message };
}

/** Whether a transaction of this age may have failed because of its size: the same again would be tried for ever. */
export const isBySize = ({ kind }: Failure, elapsedMs: number): boolean =>
  kind === 'unreachable' || (kind !== 'busy' && elapsedMs > limits.transactionMsMax);

/** Whether an abort makes sense. The cluster commits a transaction in which a Produce failed: only we can abort it. */
export const wasAnswered = ({ kind }: Failure): boolean =>
  kind === 'refused' || kind === 'forbidden' || kind === 'slow';

/** How long until the same call is worth another try, milliseconds; null if it is not. `jitter` is in [0, 1). */
export function repeatDelayMs(
  { kind, objections = [] }: Failure,
  { care, repeats }: { readonly care: Care; readonly repeats: number },
  jitter: number,
): number | null {
  const { busyDelayMsMin, busyDelayMsMax } = limits;
  if (kind === 'hidden') return repeats < limits.hiddenRepeatsMax ? limits.hiddenDelayMs : null;
  if (kind !== 'busy') return null;
  if (objections.length === 0)
    return repeats < limits.busyRepeatsMax
      ? busyDelayMsMin + jitter * (busyDelayMsMax - busyDelayMsMin)
      : null;
  if (repeats >= limits.leaderRepeatsMax || isSuspected(care, objections)) return null;
  return busyDelayMsMax * 2 ** repeats * (0.5 + jitter / 2);
}

/** How long to wait after so many failures in a row, milliseconds; `longestMs` at most, unless the failure asks for more. */
export function backoffMs(
  failure: Failure | null,
  failures: number,
  longestMs: number,
  jitter: number,
): number {
  const doubled = limits.forwardBackoffMsMin * 2 ** Math.min(failures, 20);
  const bound = fixedBackoffMs(failure) ?? Math.min(doubled, longestMs);
  return Math.round(bound * (0.5 + jitter / 2));
}

/** Where trying again soon would do harm: fence the other one, or have the account locked. */
function fixedBackoffMs(failure: Failure | null): number | undefined {
  if (failure?.kind === 'fenced') return limits.fencedBackoffMs;
  return failure?.kind === 'unauthenticated' ? limits.loginBackoffMs : undefined;
}
