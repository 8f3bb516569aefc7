import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Accept, ReceivedRecord } from '../../core/record.ts';
import { deadLetter } from '../dead-letter.ts';
import type { Decoder } from '../decode/decoder.ts';
import { Notices } from '../notices.ts';
import { Delivery } from './delivery.ts';
import type { Frame, Framer } from './frame.ts';
import type { OpenPort, Port, PortSettings } from './port.ts';
import { type DeadLetterReason, droppedLetter, readingRecord } from './record.ts';

export interface SerialSourceOptions {
  /** The key of its records. */
  readonly name: string;
  readonly settings: PortSettings;
  readonly framer: Framer;
  readonly decoder: Decoder;
  readonly open: OpenPort;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What the status says of a port. Counts are of this run, times are wall clock, milliseconds since 1970 UTC. */
export interface SerialPortStatus {
  readonly name: string;
  readonly path: string;
  /** `opening`: it was not open yet in this run; `lost`: it was. Both are tried until it is open. */
  readonly state: 'opening' | 'open' | 'lost';
  /** Good and bad. */
  readonly frames: number;
  readonly deadLetters: number;
  /** Records that were dropped because the log refused for too long. */
  readonly dropped: number;
  /** Null before the first. */
  readonly lastFrameMs: number | null;
  /** What was last wrong with the port, its frames, or their way into the log. */
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
}

/** One serial port: opened again and again, read all the time, its frames brought into the log or kept as dead letters. */
export class SerialSource {
  readonly #options: SerialSourceOptions;
  readonly #notices: Notices;
  readonly #delivery: Delivery;
  readonly #stopped = new AbortController();
  readonly #stop = Promise.withResolvers<null>();
  readonly #running: Promise<void>;
  #port: Port | null = null;
  #isPaused = false;
  #status: SerialPortStatus;

  private constructor(options: SerialSourceOptions) {
    const { name, settings, accept, clock, logger, metrics } = options;
    this.#options = options;
    this.#notices = new Notices(clock, logger);
    this.#delivery = new Delivery({
      accept,
      clock,
      droppedLetterOf: (dropped) => droppedLetter(name, dropped),
      onStored: (count) => {
        metrics.add('headwater_records_accepted_total', count, { source: 'serial' });
        this.#regulate();
      },
      onRefused: (reason) => {
        this.#fail(`frames of the serial port wait: ${reason}`);
        this.#regulate();
      },
    });
    this.#status = {
      name,
      path: settings.path,
      state: 'opening',
      frames: 0,
      deadLetters: 0,
      dropped: 0,
      lastFrameMs: null,
      lastError: null,
    };
    metrics.set('headwater_serial_open', 0, { port: name });
    this.#running = this.#run();
  }

  /** Starts at once, whether the port is there or not. */
  static start(options: SerialSourceOptions): SerialSource {
    return new SerialSource(options);
  }

  status(): SerialPortStatus {
    return this.#status;
  }

  /** Closes the port, and waits `limits.serialStopMs` at most until what was read is in the log. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stop.resolve(null);
    await this.#running;
    const left = await this.#delivery.stop();
    if (left > 0)
      this.#options.logger.error(
        { records: left },
        'the log did not take what was read from the serial port; it is lost',
      );
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    let backoffMs: number = limits.serialOpenBackoffMsMin;
    while (!signal.aborted) {
      const framesBefore = this.#status.frames;
      await this.#session();
      if (this.#status.frames > framesBefore) backoffMs = limits.serialOpenBackoffMsMin;
      await clock.sleep(backoffMs, signal);
      backoffMs = Math.min(backoffMs * 2, limits.serialOpenBackoffMsMax);
    }
  }

  /** From one opening of the port to its loss, or to a stop. */
  async #session(): Promise<void> {
    const { name, settings, open, metrics } = this.#options;
    const lost = Promise.withResolvers<string>();
    const listener = { received: (chunk: Uint8Array) => this.#received(chunk), lost: lost.resolve };
    try {
      this.#port = await open(settings, listener);
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      this.#fail(`the serial port is tried again and again: ${error.message}`);
      return;
    }
    const port = this.#port;
    this.#update({ state: 'open' });
    metrics.set('headwater_serial_open', 1, { port: name });
    this.#notices.say('info', `the serial port ${settings.path} is open`);
    this.#isPaused = false;
    this.#regulate();
    const reason = await Promise.race([lost.promise, this.#stop.promise]);
    this.#port = null;
    await port.close();
    metrics.set('headwater_serial_open', 0, { port: name });
    this.#update({ state: 'lost' });
    const unfinished = this.#options.framer.interrupt();
    if (unfinished !== null) this.#take([unfinished]);
    if (reason !== null)
      this.#fail(`the serial port ${settings.path} is lost (${reason}); it is opened again`);
  }

  #received(chunk: Uint8Array): void {
    const frames = this.#options.framer.push(chunk, this.#options.clock.monotonicMs());
    if (frames.length > 0) this.#take(frames);
  }

  #take(frames: readonly Frame[]): void {
    const { name, clock, metrics } = this.#options;
    this.#update({ frames: this.#status.frames + frames.length, lastFrameMs: clock.wallMs() });
    metrics.add('headwater_serial_frames_total', frames.length, { port: name });
    const dropped = this.#delivery.push(frames.map((frame) => this.#recordOf(frame)));
    if (dropped > 0) {
      this.#update({ dropped: this.#status.dropped + dropped });
      metrics.add('headwater_serial_dropped_total', dropped, { port: name });
      this.#fail('the log has refused for so long that the oldest frames of the serial port are dropped');
    }
    this.#regulate();
  }

  #recordOf({ bytes, receivedMs, problem }: Frame): ReceivedRecord {
    const { name, decoder } = this.#options;
    if (problem !== null) return this.#deadLetter(bytes, receivedMs, problem);
    const decoded = decoder(bytes);
    return 'value' in decoded
      ? readingRecord(name, decoded.value, receivedMs)
      : this.#deadLetter(bytes, receivedMs, decoded.problem);
  }

  #deadLetter(bytes: Uint8Array, receivedMs: number, reason: DeadLetterReason): ReceivedRecord {
    const { name, clock, metrics } = this.#options;
    metrics.add('headwater_serial_dead_letters_total', 1, { port: name, reason });
    const lastError = { message: `a bad frame: ${reason}`, atMs: clock.wallMs() };
    this.#update({ deadLetters: this.#status.deadLetters + 1, lastError });
    // A line cut by an unplugged cable is no reason to doubt the settings.
    if (reason !== 'frame-incomplete')
      this.#notices.say(
        'warn',
        'the serial port gives bad frames; they are kept in the topic dead-letters. If there are many, check its baud',
      );
    return deadLetter(name, bytes, receivedMs, reason);
  }

  /** Holds the port back while too much waits for an answer of the log. */
  #regulate(): void {
    const isCongested = this.#delivery.isCongested;
    if (this.#port === null || isCongested === this.#isPaused) return;
    this.#isPaused = isCongested;
    if (isCongested) this.#port.pause();
    else this.#port.resume();
  }

  #fail(message: string): void {
    this.#update({ lastError: { message, atMs: this.#options.clock.wallMs() } });
    this.#notices.say('warn', message);
  }

  #update(changed: Partial<SerialPortStatus>): void {
    this.#status = { ...this.#status, ...changed };
  }
}
