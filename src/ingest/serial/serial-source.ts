import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Accept, ReceivedRecord } from '../../core/record.ts';
import { deadLetter } from '../dead-letter.ts';
import type { Decoder } from '../decode/decoder.ts';
import { Notices } from '../notices.ts';
import { DeadLetterBudget } from '../wired/dead-letter-budget.ts';
import { Delivery } from '../wired/delivery.ts';
import { openAgainAndAgain } from '../wired/open-again.ts';
import type { Selection } from '../wired/port-selection.ts';
import { droppedLetter, leftOutLetter } from '../wired/summary-letter.ts';
import { type PortCommands, type SendOptions, sendCommands } from './commands.ts';
import type { Frame, Framer } from './frame.ts';
import type { OpenPort, Port, PortSettings } from './port.ts';
import { type PortEvent, type PortState, PortWatchers } from './port-watchers.ts';
import { type DeadLetterReason, deadLetterReasons, readingRecord } from './record.ts';
import { StallWatch } from './stall-watch.ts';

export interface SerialSourceOptions {
  /** The key of its records. */
  readonly name: string;
  /** Which port is meant, in words. */
  readonly wanted: string;
  /** What to open now; asked again before each attempt. */
  readonly locate: () => Promise<Selection>;
  readonly settings: PortSettings;
  /** Null: it may be silent for as long as it likes. */
  readonly stalledAfterMs: number | null;
  /** Null: the device speaks by itself. */
  readonly commands: PortCommands | null;
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
  /** As it is configured: a path, a pattern, or USB numbers. */
  readonly wanted: string;
  /** The device file that is or was open; null before the first time. */
  readonly device: string | null;
  readonly state: PortState;
  /** Good and bad. */
  readonly frames: number;
  /** Bad ones, those that were left out of the topic included. */
  readonly deadLetters: number;
  /** Bad ones that were only counted, because so many were kept in that hour. */
  readonly leftOut: number;
  /** Records that were dropped because the log refused for too long. */
  readonly dropped: number;
  /** Commands that were sent. */
  readonly commands: number;
  /** Null before the first. */
  readonly lastFrameMs: number | null;
  /** What was last wrong with the port, its frames, or their way into the log. */
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
}

/** One serial port: opened again and again, read all the time, its frames brought into the log or kept as dead letters. */
export class SerialSource {
  readonly #options: SerialSourceOptions;
  /** Of all its records. */
  readonly #key: Uint8Array;
  readonly #notices: Notices;
  readonly #delivery: Delivery;
  readonly #deadLetters = new DeadLetterBudget({
    lettersMax: limits.serialDeadLettersPerHourMax,
    bytesMax: limits.serialDeadLetterBytesPerHourMax,
  });
  readonly #watchers = new PortWatchers();
  readonly #stalls: StallWatch | null;
  readonly #stopped = new AbortController();
  readonly #stop = Promise.withResolvers<null>();
  readonly #running: Promise<void>;
  #telling: Promise<void> | null = null;
  #port: Port | null = null;
  #isPaused = false;
  #status: SerialPortStatus;

  private constructor(options: SerialSourceOptions) {
    const { name, wanted, stalledAfterMs, accept, clock, logger, metrics } = options;
    this.#options = options;
    this.#key = Buffer.from(name);
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
    const onChange = (isStalled: boolean): void => this.#stalled(isStalled);
    this.#stalls =
      stalledAfterMs === null
        ? null
        : new StallWatch({ clock, stalledAfterMs, isReading: () => !this.#isPaused, onChange });
    this.#status = {
      name,
      wanted,
      device: null,
      state: 'opening',
      frames: 0,
      deadLetters: 0,
      leftOut: 0,
      dropped: 0,
      commands: 0,
      lastFrameMs: null,
      lastError: null,
    };
    this.#show('opening');
    this.#countFromZero();
    this.#running = openAgainAndAgain(() => this.#attempt(), clock, this.#stopped.signal);
  }

  #countFromZero(): void {
    const { name: port, metrics } = this.#options;
    countFromZero(metrics, 'headwater_records_accepted_total', 'source', ['serial']);
    countFromZero(metrics, 'headwater_serial_frames_total', 'port', [port]);
    countFromZero(metrics, 'headwater_serial_dropped_total', 'port', [port]);
    countFromZero(metrics, 'headwater_serial_dead_letters_total', 'reason', deadLetterReasons, { port });
    countFromZero(metrics, 'headwater_serial_dead_letters_left_out_total', 'port', [port]);
    countFromZero(metrics, 'headwater_serial_commands_total', 'outcome', ['sent', 'failed'], { port });
  }

  /** Starts at once, whether the port is there or not. */
  static start(options: SerialSourceOptions): SerialSource {
    return new SerialSource(options);
  }

  status(): SerialPortStatus {
    return this.#status;
  }

  /** How the port is now, and all that happens from now on, until the signal is aborted; see {@link PortWatchers}. */
  watch(signal: AbortSignal): AsyncIterable<PortEvent> {
    const events = this.#watchers.watch(signal);
    return withFirst(this.#stateEvent(), events);
  }

  /** Closes the port, and waits `limits.serialStopMs` at most until what was read is in the log. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stop.resolve(null);
    await this.#running;
    await this.#telling;
    const left = await this.#delivery.stop();
    if (left === 0) return;
    this.#countDropped(left);
    const message = 'the log did not take what was read from the serial port; it is lost';
    this.#options.logger.error({ records: left }, message);
  }

  /** Opens what the port stands for now, if it can, and stays with it until its loss or a stop; gives whether a frame came. */
  async #attempt(): Promise<boolean> {
    const { locate, settings, open } = this.#options;
    const framesBefore = this.#status.frames;
    const selection = await locate();
    if ('problem' in selection) {
      this.#fail(`the serial port is tried again and again: ${selection.problem}`);
      return false;
    }
    const lost = Promise.withResolvers<string>();
    const listener = { received: (chunk: Uint8Array) => this.#received(chunk), lost: lost.resolve };
    try {
      const port = await open(selection.path, settings, listener);
      await this.#session(port, selection.device, lost);
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      this.#fail(`the serial port is tried again and again: ${error.message}`);
    }
    return this.#status.frames > framesBefore;
  }

  /** From one opening of the port to its loss, or to a stop. */
  async #session(port: Port, device: string, lost: PromiseWithResolvers<string>): Promise<void> {
    const ended = new AbortController();
    this.#port = port;
    this.#update({ device });
    this.#show('open');
    this.#notices.say('info', `the serial port ${device} is open`);
    this.#isPaused = false;
    this.#regulate();
    const work = [this.#stalls?.run(ended.signal), this.#command(port, lost.resolve, ended.signal)];
    const reason = await Promise.race([lost.promise, this.#stop.promise]);
    this.#port = null;
    ended.abort();
    await port.close();
    await Promise.all(work);
    this.#show('lost');
    const unfinished = this.#options.framer.interrupt();
    if (unfinished.length > 0) this.#take(unfinished);
    if (reason !== null) this.#fail(`the serial port ${device} is lost (${reason}); it is opened again`);
  }

  /** @param lose is called with the reason if the port has to be given up */
  async #command(port: Port, lose: (reason: string) => void, signal: AbortSignal): Promise<void> {
    const { commands, clock } = this.#options;
    if (commands === null) return;
    const sending: SendOptions = {
      commands,
      clock,
      write: (bytes) => port.write(bytes),
      onSent: (bytes) => this.#sent(bytes),
      onFailed: (reason) => this.#notSent(reason),
      onStuck: (reason) => {
        this.#notSent(reason);
        lose(reason);
      },
    };
    await sendCommands(sending, signal);
  }

  #received(chunk: Uint8Array): void {
    const { framer, clock } = this.#options;
    this.#stalls?.heard();
    if (this.#watchers.isWatched) this.#tell({ kind: 'received', bytes: chunk.slice() });
    const frames = framer.push(chunk, clock.monotonicMs());
    if (frames.length > 0) this.#take(frames);
  }

  #take(frames: readonly Frame[]): void {
    const { name, clock, metrics } = this.#options;
    this.#update({ frames: this.#status.frames + frames.length, lastFrameMs: clock.wallMs() });
    metrics.add('headwater_serial_frames_total', frames.length, { port: name });
    this.#deliver(frames.flatMap((frame) => this.#recordOf(frame) ?? []));
    this.#regulate();
  }

  #deliver(records: readonly ReceivedRecord[]): void {
    const dropped = this.#delivery.push(records);
    if (dropped === 0) return;
    this.#countDropped(dropped);
    this.#fail('the log has taken nothing for so long that the oldest frames of the serial port are dropped');
  }

  #countDropped(count: number): void {
    this.#update({ dropped: this.#status.dropped + count });
    this.#options.metrics.add('headwater_serial_dropped_total', count, { port: this.#options.name });
  }

  /** Null for a bad frame that is not kept. */
  #recordOf(frame: Frame): ReceivedRecord | null {
    const { decoder } = this.#options;
    const { bytes, receivedMs } = frame;
    if (frame.problem !== null) return this.#deadLetter(frame, frame.problem);
    const decoded = decoder(bytes);
    if ('problem' in decoded) return this.#deadLetter(frame, decoded.problem);
    if (this.#watchers.isWatched) this.#tell({ kind: 'frame', bytes, value: decoded.value });
    return readingRecord(this.#key, decoded.value, receivedMs);
  }

  #deadLetter({ bytes, receivedMs }: Frame, reason: DeadLetterReason): ReceivedRecord | null {
    const { name, clock, metrics } = this.#options;
    metrics.add('headwater_serial_dead_letters_total', 1, { port: name, reason });
    if (this.#watchers.isWatched) this.#tell({ kind: 'bad-frame', bytes, problem: reason });
    const lastError = { message: `a bad frame: ${reason}`, atMs: clock.wallMs() };
    this.#update({ deadLetters: this.#status.deadLetters + 1, lastError });
    // A line cut by an unplugged cable is no reason to doubt the settings.
    if (reason !== 'frame-incomplete')
      this.#notices.say(
        'warn',
        'the serial port gives bad frames; they are kept in the topic dead-letters. If there are many, check its baud',
      );
    if (this.#deadLetters.take(reason, bytes.length, receivedMs, clock.monotonicMs()))
      return deadLetter(name, bytes, receivedMs, reason);
    this.#update({ leftOut: this.#status.leftOut + 1 });
    metrics.add('headwater_serial_dead_letters_left_out_total', 1, { port: name });
    this.#telling ??= this.#tellLeftOut();
    return null;
  }

  /** At the end of the hour, or at a stop, one dead letter tells of those that were left out. */
  async #tellLeftOut(): Promise<void> {
    const { name, clock } = this.#options;
    await clock.sleep(Math.max(0, this.#deadLetters.endsMs - clock.monotonicMs()), this.#stopped.signal);
    // So that frames that are taken after this begin to wait anew.
    this.#telling = null;
    const leftOut = this.#deadLetters.takeLeftOut();
    if (leftOut !== null) this.#deliver([leftOutLetter(name, leftOut)]);
  }

  #sent(bytes: Uint8Array): void {
    const { name, metrics } = this.#options;
    this.#update({ commands: this.#status.commands + 1 });
    metrics.add('headwater_serial_commands_total', 1, { port: name, outcome: 'sent' });
    this.#tell({ kind: 'sent', bytes });
  }

  #notSent(reason: string): void {
    const { name, metrics } = this.#options;
    metrics.add('headwater_serial_commands_total', 1, { port: name, outcome: 'failed' });
    this.#tell({ kind: 'not-sent', problem: reason });
    this.#fail(reason);
  }

  #stalled(isStalled: boolean): void {
    const { stalledAfterMs } = this.#options;
    this.#show(isStalled ? 'stalled' : 'open');
    if (isStalled)
      this.#fail(
        `the serial port ${this.#status.device} is open, but nothing has come from it for ${(stalledAfterMs ?? 0) / 1000} s. ` +
          'Check the device, its wires and baud; headwater serial sniff shows what comes',
      );
    else this.#notices.say('info', `the serial port ${this.#status.device} is heard again`);
  }

  /**
   * Holds the device back while too much waits for an answer of the log, if it can be held back: of one without flow control the kernel
   * would lose bytes, and nobody would know how many. So that one is read on, and the oldest records are dropped and counted.
   */
  #regulate(): void {
    const isCongested = this.#options.settings.flow !== 'none' && this.#delivery.isCongested;
    if (this.#port === null || isCongested === this.#isPaused) return;
    this.#isPaused = isCongested;
    if (isCongested) this.#port.pause();
    else this.#port.resume();
  }

  #show(state: PortState): void {
    const { name, metrics } = this.#options;
    this.#update({ state });
    metrics.set('headwater_serial_open', state === 'open' || state === 'stalled' ? 1 : 0, { port: name });
    metrics.set('headwater_serial_stalled', state === 'stalled' ? 1 : 0, { port: name });
    this.#watchers.tell(this.#stateEvent());
  }

  #stateEvent(): PortEvent {
    const { state, device } = this.#status;
    return { kind: 'state', atMs: this.#options.clock.wallMs(), state, device };
  }

  #tell(event: DistributiveOmit<PortEvent, 'atMs'>): void {
    this.#watchers.tell({ ...event, atMs: this.#options.clock.wallMs() });
  }

  #fail(message: string): void {
    this.#update({ lastError: { message, atMs: this.#options.clock.wallMs() } });
    this.#notices.say('warn', message);
  }

  #update(changed: Partial<SerialPortStatus>): void {
    this.#status = { ...this.#status, ...changed };
  }
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

async function* withFirst(first: PortEvent, events: AsyncIterable<PortEvent>): AsyncGenerator<PortEvent> {
  yield first;
  yield* events;
}
