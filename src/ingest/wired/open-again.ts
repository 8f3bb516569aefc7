import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';

/**
 * Makes one attempt after the other until the signal is aborted. The waits between them double from
 * `limits.serialOpenBackoffMsMin` to `limits.serialOpenBackoffMsMax`.
 * @param attempt opens what there is and stays with it until its loss; gives whether anything came from it, after which
 * the waits begin anew
 */
export async function openAgainAndAgain(
  attempt: () => Promise<boolean>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let backoffMs: number = limits.serialOpenBackoffMsMin;
  while (!signal.aborted) {
    if (await attempt()) backoffMs = limits.serialOpenBackoffMsMin;
    await clock.sleep(backoffMs, signal);
    backoffMs = Math.min(backoffMs * 2, limits.serialOpenBackoffMsMax);
  }
}
