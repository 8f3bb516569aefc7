import type { ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import { ApiError } from './api-error.ts';

/** What is answered, once the HTTP library leaves the answer to us. */
interface Reply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

interface Viewer {
  readonly response: ServerResponse;
  /** When something was last written to it, by the monotonic clock. */
  writtenMs: number;
}

/**
 * Those who look at the gateway as it goes: all get the same frame about every second, which is made once, and none is made while nobody
 * looks. Frames leave out those who do not read; after `limits.viewerStallMsMax` they are cut off.
 */
export class Viewers {
  readonly #frame: () => Promise<object>;
  readonly #clock: Clock;
  readonly #stopping: AbortSignal;
  readonly #viewers = new Set<Viewer>();
  /** Ends the rest between two frames, because somebody has come who has not seen any. */
  #hurry = new AbortController();
  #isRunning = false;

  /** @param frame what is to be seen now, as JSON; if it rejects, all viewers are cut off */
  constructor(frame: () => Promise<object>, clock: Clock, stopping: AbortSignal) {
    this.#frame = frame;
    this.#clock = clock;
    this.#stopping = stopping;
    stopping.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** How many there are. */
  get count(): number {
    return this.#viewers.size;
  }

  /**
   * Begins an answer of server-sent events; the first frame is on its way at once.
   * @throws ApiError `too-many-readers`
   */
  add(reply: Reply): void {
    if (this.#viewers.size >= limits.viewersMax)
      throw new ApiError(
        'too-many-readers',
        `${this.#viewers.size} pages are open already; close one, then load this one again`,
      );
    const viewer: Viewer = { response: reply.raw, writtenMs: this.#clock.monotonicMs() };
    reply.hijack();
    reply.raw.once('close', () => this.#viewers.delete(viewer));
    // A socket that fails is closed as well.
    reply.raw.on('error', () => this.#viewers.delete(viewer));
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', connection: 'close' });
    reply.raw.flushHeaders();
    this.#viewers.add(viewer);
    this.#hurry.abort();
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#viewers.size > 0 && !this.#stopping.aborted) {
        this.#hurry = new AbortController();
        this.#show(`data: ${JSON.stringify(await this.#frame())}\n\n`);
        await this.#clock.sleep(limits.viewerFrameMs, AbortSignal.any([this.#hurry.signal, this.#stopping]));
      }
    } finally {
      this.#isRunning = false;
      this.#close();
    }
  }

  #show(event: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const viewer of this.#viewers) {
      const { response } = viewer;
      if (
        response.writableLength + event.length <= limits.viewerPendingBytesMax ||
        response.writableLength === 0
      ) {
        response.write(event);
        viewer.writtenMs = nowMs;
      } else if (nowMs - viewer.writtenMs >= limits.viewerStallMsMax) {
        this.#viewers.delete(viewer);
        response.destroy();
      }
    }
  }

  #close(): void {
    for (const { response } of this.#viewers) response.end();
    this.#viewers.clear();
  }
}
