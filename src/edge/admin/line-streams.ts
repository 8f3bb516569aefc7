import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { ApiError, answerFor, crash } from './api-error.ts';

/** What is answered, once the HTTP library leaves the answer to us. */
interface Reply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/** Answers that are one line after the other, for as long as their client reads or the server runs. */
export class LineStreams {
  readonly #logger: Logger;
  readonly #stopping: AbortSignal;
  #open = 0;

  constructor(logger: Logger, stopping: AbortSignal) {
    this.#logger = logger;
    this.#stopping = stopping;
  }

  /**
   * Sends pieces of lines no faster than the client reads; what goes wrong then can only break the stream off.
   * @param piecesUntil is given what is aborted when the client has gone or the server stops; what it throws is answered
   * @throws ApiError `too-many-readers`
   */
  async send(reply: Reply, piecesUntil: (gone: AbortSignal) => AsyncIterable<string>): Promise<void> {
    if (this.#open >= limits.adminRecordStreamsMax) {
      const message = `${this.#open} readers are at work already; end one, or try again later`;
      throw new ApiError('too-many-readers', message);
    }
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const pieces = piecesUntil(AbortSignal.any([gone.signal, this.#stopping]));
    this.#open += 1;
    await this.#sendAll(reply, pieces);
    this.#open -= 1;
  }

  async #sendAll(reply: Reply, pieces: AsyncIterable<string>): Promise<void> {
    reply.hijack();
    // Closed at its end, so that a stop has no idle connection to wait for.
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    // A follower learns at once that it is connected, even if nothing comes for long.
    reply.raw.flushHeaders();
    try {
      await pipeline(Readable.from(pieces, { objectMode: false }), reply.raw);
    } catch (error) {
      if (isGone(error)) return;
      if (answerFor(error) === null) crash(error);
      this.#logger.warn({ error }, 'an answer with records was broken off; ask again from the next offset');
    }
  }
}

/** Whether the client has closed its connection. */
const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE');
