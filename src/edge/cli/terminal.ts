import type { Readable, Writable } from 'node:stream';

/** What a command line has around it: three streams, a place, a user who can interrupt. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Output;
  readonly errors: Output;
  /** Whether somebody sits before it who can answer a question. */
  readonly isInteractive: boolean;
  readonly workingDirectory: string;
  readonly hostName: string;
  /** The value of HEADWATER_CONFIG. */
  readonly configVariable: string | undefined;
  /** Calls back at each SIGTERM or SIGINT, which then does nothing else. Returns how to stop that. */
  onStopSignal(listener: () => void): () => void;
  /** The same for SIGHUP. */
  onReloadSignal(listener: () => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

/** Standard output or standard error, whose reader may go at any time. */
export class Output {
  readonly #stream: Writable;
  /** Remembered here because Node's standard streams forget it: they come back to life after an error. */
  #error: (Error & { code?: string }) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  /** Whether a person sees it as it is written, and lines can be drawn over. */
  get isTerminal(): boolean {
    return 'isTTY' in this.#stream && this.#stream.isTTY === true;
  }

  /** How many characters a terminal shows; undefined if it is none. */
  get size(): { readonly columns: number; readonly rows: number } | undefined {
    const { columns, rows } = this.#stream as Writable & { columns?: unknown; rows?: unknown };
    if (!this.isTerminal || typeof columns !== 'number' || typeof rows !== 'number') return undefined;
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
  }

  /** Writes, and waits until the stream wants more. Resolves to false once nothing can be written any more. */
  async write(bytes: string | Uint8Array): Promise<boolean> {
    if (this.#error !== undefined) return false;
    if (!this.#stream.write(bytes)) await this.#drained();
    return this.#error === undefined;
  }

  /** Why the stream has failed; undefined if it has not, or only because its reader has gone (`| head`), which is fine. */
  get failure(): Error | undefined {
    return this.#error?.code === 'EPIPE' ? undefined : this.#error;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#stream.off('drain', settle).off('close', settle).off('error', settle);
        resolve();
      };
      this.#stream.on('drain', settle).on('close', settle).on('error', settle);
    });
  }
}
