import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, ClockReading } from '../core/clock.ts';

/** Between CLOCK_MONOTONIC and Node's own count, which begins with the process. */
const processStartMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The machine's own clocks and timers. */
export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => processStartMs + performance.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
};

/** Reads both clocks at once; `isSet` says whether the wall clock is known to be right. */
export const clockReader = (bootId: string, isSet: () => boolean) => (): ClockReading => ({
  wallMs: nodeClock.wallMs(),
  monotonicMs: nodeClock.monotonicMs(),
  bootId,
  isSet: isSet(),
});
