import { limits } from '../../core/limits.ts';
import type { DecodeProblem } from '../decode/decoder.ts';
import type { FrameProblem } from './frame.ts';

/**
 * `opening`: it was not open yet in this run; `lost`: it was. Both are tried until it is open. `stalled`: it is open, and
 * has given nothing for as long as is too long.
 */
export type PortState = 'opening' | 'open' | 'stalled' | 'lost';

/** What happens at a port, as somebody who watches it is told. Times are wall clock, milliseconds since 1970 UTC. */
export type PortEvent =
  | {
      readonly kind: 'state';
      readonly atMs: number;
      readonly state: PortState;
      readonly device: string | null;
    }
  /** As they came, whatever they mean. */
  | { readonly kind: 'received'; readonly atMs: number; readonly bytes: Uint8Array }
  /** A command. */
  | { readonly kind: 'sent'; readonly atMs: number; readonly bytes: Uint8Array }
  /** A command that the port did not take, for the reason in words. */
  | { readonly kind: 'not-sent'; readonly atMs: number; readonly problem: string }
  /** A good frame, with the value of its record. */
  | { readonly kind: 'frame'; readonly atMs: number; readonly bytes: Uint8Array; readonly value: Uint8Array }
  | {
      readonly kind: 'bad-frame';
      readonly atMs: number;
      readonly bytes: Uint8Array;
      readonly problem: FrameProblem | DecodeProblem;
    }
  /** So many events could not be told: they came faster than they were read. */
  | { readonly kind: 'missed'; readonly atMs: number; readonly count: number };

/** Those who watch a port. They cost it nothing but copies of bytes, and hold nothing up. */
export class PortWatchers {
  readonly #watches = new Set<Watch>();

  /** Whether there is anybody to tell. */
  get isWatched(): boolean {
    return this.#watches.size > 0;
  }

  /** Tells all of them; bytes must not change any more. */
  tell(event: PortEvent): void {
    for (const watch of this.#watches) watch.push(event);
  }

  /** What happens from now on, until the signal is aborted; at most `limits.serialWatchBytesMax` wait to be read. */
  watch(signal: AbortSignal): AsyncIterable<PortEvent> {
    const watch = new Watch(signal);
    if (!signal.aborted) {
      this.#watches.add(watch);
      signal.addEventListener('abort', () => this.#watches.delete(watch), { once: true });
    }
    return watch.events();
  }
}

const weightOf = (event: PortEvent): number =>
  limits.serialRecordOverheadBytes + ('bytes' in event ? event.bytes.length : 0);

class Watch {
  readonly #signal: AbortSignal;
  #queue: PortEvent[] = [];
  #bytes = 0;
  #missed = 0;
  #wake: (() => void) | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  push(event: PortEvent): void {
    if (this.#bytes + weightOf(event) > limits.serialWatchBytesMax) {
      this.#missed += 1;
      return;
    }
    if (this.#missed > 0) {
      this.#queue.push({ kind: 'missed', atMs: event.atMs, count: this.#missed });
      this.#missed = 0;
    }
    this.#queue.push(event);
    this.#bytes += weightOf(event);
    this.#wake?.();
  }

  async *events(): AsyncGenerator<PortEvent> {
    while (!this.#signal.aborted) {
      const events = this.#queue;
      this.#queue = [];
      this.#bytes = 0;
      yield* events;
      if (this.#queue.length > 0 || this.#signal.aborted) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
