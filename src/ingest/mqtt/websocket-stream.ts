import { Duplex } from 'node:stream';
import { closeFrame, FrameReader, frameHeader } from './websocket-frames.ts';

const normalClosure = 1000;

/**
 * The bytes inside the binary frames of a WebSocket, to and fro. What nobody reads yet stays in the socket, so that TCP holds the
 * client back; what is written is done when the socket has taken it.
 */
export class WebSocketStream extends Duplex {
  readonly #socket: Duplex;
  readonly #onViolation: (message: string) => void;
  readonly #frames = new FrameReader();
  #readerWants = false;
  #isOver = false;
  /** The answer to the last ping, while the client does not read: earlier ones need none (RFC 6455, 5.5.3). */
  #pong: Uint8Array | null = null;
  #hasSaidClose = false;

  /** @param onViolation told once, just before the connection is closed for what the client sent */
  constructor(socket: Duplex, onViolation: (message: string) => void) {
    super();
    this.#socket = socket;
    this.#onViolation = onViolation;
    socket.on('readable', () => this.#pump());
    socket.on('end', () => this.#end());
    socket.on('drain', () => this.#answerPing());
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#readerWants = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#sayClose(normalClosure);
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sayClose(normalClosure);
    this.#socket.destroy();
    done(error);
  }

  /** All in one frame. A client that went away is no error: the stream just ends. */
  #send(chunks: readonly Buffer[], done: () => void): void {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#socket.cork();
    this.#socket.write(frameHeader('binary', length));
    const last = chunks.length - 1;
    chunks.forEach((chunk, index) => {
      this.#socket.write(chunk, index === last ? (error) => (error ? this.destroy() : done()) : undefined);
    });
    this.#socket.uncork();
  }

  #pump(): void {
    while (this.#readerWants && !this.#isOver && !this.destroyed) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null) return;
      this.#take(chunk);
    }
  }

  #take(chunk: Buffer): void {
    for (const event of this.#frames.read(chunk)) {
      if (event.kind === 'data') this.#readerWants = this.push(event.bytes);
      else if (event.kind === 'ping') {
        this.#pong = event.payload;
        if (!this.#socket.writableNeedDrain) this.#answerPing();
      } else if (event.kind === 'close') {
        this.#end();
      } else {
        this.#onViolation(event.message);
        this.#sayClose(event.code);
        this.#isOver = true;
        this.destroy();
      }
    }
  }

  /** Nothing more comes; what is yet to be answered still can be, until the other side of the stream ends too. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.push(null);
  }

  #answerPing(): void {
    if (this.#pong === null || this.#hasSaidClose || this.destroyed) return;
    this.#socket.write(Buffer.concat([frameHeader('pong', this.#pong.length), this.#pong]));
    this.#pong = null;
  }

  #sayClose(code: number): void {
    if (this.#hasSaidClose || this.#socket.destroyed) return;
    this.#hasSaidClose = true;
    this.#socket.write(closeFrame(code));
  }
}
