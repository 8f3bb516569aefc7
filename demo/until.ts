import { setTimeout as sleep } from 'node:timers/promises';

const lookMs = 50;
const waitMsMax = 60_000;

/** Looks again and again until something is so. Rejects if that takes a minute, or with an `AbortError` at the signal. */
export async function until(what: string, signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + waitMsMax;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`it takes more than a minute until ${what}`);
    await sleep(lookMs, undefined, { signal });
  }
}
