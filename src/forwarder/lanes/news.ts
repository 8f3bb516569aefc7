import type { Clock } from '../../core/clock.ts';

/** What one waits for who would look again anyway after a while. */
export class News {
  #tell: () => void = () => {};

  /** There is something: whoever waits looks again. */
  tell(): void {
    this.#tell();
  }

  /** The next news, from this moment on. One waits at a time. */
  next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tell = resolve;
    return promise;
  }

  /** Until the next news, or so long has passed, milliseconds; infinity for news alone. */
  async within(ms: number, clock: Clock): Promise<void> {
    const news = this.next();
    if (ms === Number.POSITIVE_INFINITY) return await news;
    const waited = new AbortController();
    await Promise.race([news, clock.sleep(ms, waited.signal)]);
    waited.abort();
  }
}
