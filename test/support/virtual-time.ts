import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';
import type { Random } from '../../src/core/random.ts';

/** A clock on which every sleep is over at once, however long it seems to have been. */
export class VirtualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly sleeps: number[] = [];
  #held: PromiseWithResolvers<void> | null = null;

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    await this.#held?.promise;
    this.#nowMs += ms;
    await setImmediate();
  }

  /** Lets no sleep be over until {@link letGo}. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  letGo(): void {
    this.#held?.resolve();
    this.#held = null;
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) };
}

/** Lets everything else run until the condition holds. */
export async function until(what: string, condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await setImmediate();
  }
}
