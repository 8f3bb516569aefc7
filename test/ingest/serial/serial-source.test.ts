import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { NewRecord } from '../../../src/core/record.ts';
import { decodeJson } from '../../../src/ingest/decode/json.ts';
import type { PortCommands } from '../../../src/ingest/serial/commands.ts';
import { lineFramer } from '../../../src/ingest/serial/framing/line-framer.ts';
import type { PortSettings } from '../../../src/ingest/serial/port.ts';
import type { PortEvent } from '../../../src/ingest/serial/port-watchers.ts';
import { SerialSource, type SerialSourceOptions } from '../../../src/ingest/serial/serial-source.ts';
import type { Selection } from '../../../src/ingest/wired/port-selection.ts';
import { SimSerialPort } from '../../support/sim-serial-port.ts';
import { until, VirtualClock } from '../../support/virtual-time.ts';
import { CountingMetrics, KeepingLogger } from '../mqtt/harness.ts';

/** A log that takes, refuses, or lets wait. */
class SwitchedLog {
  readonly records: NewRecord[] = [];
  offers = 0;
  /** More than one at a time could store them in another order. */
  concurrentOffersMax = 0;
  #underOffer = 0;
  refusal: OperatingError | null = null;
  isHolding = false;
  #held: (() => void)[] = [];

  readonly accept = async (records: readonly NewRecord[]): Promise<void> => {
    this.offers += 1;
    this.#underOffer += 1;
    this.concurrentOffersMax = Math.max(this.concurrentOffersMax, this.#underOffer);
    await (this.isHolding ? new Promise<void>((resolve) => this.#held.push(resolve)) : Promise.resolve());
    this.#underOffer -= 1;
    if (this.refusal !== null) throw this.refusal;
    this.records.push(...records);
  };

  letGo(): void {
    this.isHolding = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }

  refuse(): void {
    this.refusal = new OperatingError('log-unavailable', 'the disk does not answer');
  }

  /** Values by topic; dead letters with their reason. */
  shown(): string[] {
    return this.records.map(({ topic, value, headers }) => {
      const text = Buffer.from(value ?? []).toString();
      const reason = headers.find(({ name }) => name === 'reason');
      return topic === 'readings' ? text : `${Buffer.from(reason?.value ?? [])}: ${text}`;
    });
  }
}

let clock: VirtualClock;
let port: SimSerialPort;
let log: SwitchedLog;
let metrics: CountingMetrics;
let logger: KeepingLogger;
let source: SerialSource;

const settings: PortSettings = {
  baud: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  flow: 'none',
  readPauseMs: 20,
};
/** Of a device that waits while its port is not read. */
const holdable = { settings: { ...settings, flow: 'rtscts' } } as const;

function start(changed: Partial<SerialSourceOptions> = {}): void {
  source = SerialSource.start({
    name: 'wind',
    wanted: '/dev/serial/by-id/wind',
    locate: () => Promise.resolve({ path: '/dev/serial/by-id/wind', device: '/dev/wind' }),
    settings,
    stalledAfterMs: null,
    commands: null,
    framer: lineFramer({ delimiter: Uint8Array.of(0x0a), lengthMax: limits.serialFrameBytesMax }),
    decoder: decodeJson,
    open: port.open,
    accept: log.accept,
    clock,
    logger,
    metrics,
    ...changed,
  });
}

const isOpen = () => until('the port is open', () => source.status().state === 'open');
const stored = (count: number) => until(`${count} records`, () => log.records.length === count);

beforeEach(() => {
  clock = new VirtualClock();
  port = new SimSerialPort();
  log = new SwitchedLog();
  metrics = new CountingMetrics();
  logger = new KeepingLogger();
});

afterEach(async () => {
  log.refusal = null;
  log.letGo();
  await source.stop();
  expect(port.isOpen).toBe(false);
});

describe('a serial source', () => {
  test('makes a record of each good frame: key, value, time, topic', async () => {
    start();
    await isOpen();
    const receivedMs = clock.monotonicMs();
    const lastFrameMs = clock.wallMs();
    port.send('{"t": 21.5}\r\n');
    await stored(1);
    expect(log.records).toEqual([
      {
        topic: 'readings',
        key: Buffer.from('wind'),
        value: Buffer.from('{"t":21.5}'),
        receivedMs,
        headers: [],
      },
    ]);
    expect(source.status()).toEqual({
      name: 'wind',
      wanted: '/dev/serial/by-id/wind',
      device: '/dev/wind',
      state: 'open',
      frames: 1,
      deadLetters: 0,
      leftOut: 0,
      dropped: 0,
      commands: 0,
      lastFrameMs,
      lastError: null,
    });
  });

  test('keeps bad frames as dead letters in their place, with reason and source, and counts them', async () => {
    start();
    await isOpen();
    port.send('{"n":1}\nhello\n[1]\n');
    port.send(Uint8Array.of(0xff, 0x0a));
    port.send(`${'x'.repeat(limits.serialFrameBytesMax + 1)}\n{"n":2}\n`);
    await stored(6);
    const shown = log.shown();
    expect([...shown.slice(0, 4), shown[5]]).toEqual([
      '{"n":1}',
      'not-json: hello',
      'not-an-object: [1]',
      'not-utf-8: \ufffd',
      '{"n":2}',
    ]);
    expect(shown[4]).toBe(`frame-too-long: ${'x'.repeat(limits.serialFrameBytesMax)}`);
    const [, letter] = log.records;
    expect(letter).toMatchObject({ topic: 'dead-letters', key: new TextEncoder().encode('wind') });
    expect(letter?.headers.map(({ name, value }) => [name, Buffer.from(value).toString()])).toEqual([
      ['reason', 'not-json'],
      ['source', 'wind'],
    ]);
    expect(source.status()).toMatchObject({
      frames: 6,
      deadLetters: 4,
      lastError: { message: 'a bad frame: frame-too-long' },
    });
    const labels = { port: 'wind', reason: 'not-json' };
    expect(metrics.value('headwater_serial_dead_letters_total', labels)).toBe(1);
    expect(metrics.value('headwater_serial_frames_total', { port: 'wind' })).toBe(6);
    expect(metrics.value('headwater_records_accepted_total', { source: 'serial' })).toBe(6);
    expect(logger.lines).toHaveLength(1);
  });

  test('opens a port that is not there at first as soon as it is, and says once what to do', async () => {
    port.isPlugged = false;
    start();
    await until('many attempts', () => port.attempts > 200);
    expect(source.status()).toMatchObject({
      state: 'opening',
      lastError: { message: expect.stringContaining('there is no such port') },
    });
    const virtualMinutes = clock.sleeps.reduce((sum, ms) => sum + ms, 0) / 60_000;
    expect(logger.lines.length).toBeLessThanOrEqual(1 + virtualMinutes / 10);
    port.plugIn();
    await isOpen();
    port.send('{}\n');
    await stored(1);
  });

  test('waits longer between attempts, up to a bound that keeps the promise of 5 s', async () => {
    port.refusal = 'another program has it open';
    start();
    await until('many attempts', () => port.attempts > 20);
    const { serialOpenBackoffMsMin, serialOpenBackoffMsMax } = limits;
    expect(clock.sleeps.slice(0, 3)).toEqual([
      serialOpenBackoffMsMin,
      serialOpenBackoffMsMin * 2,
      serialOpenBackoffMsMin * 4,
    ]);
    expect(Math.max(...clock.sleeps)).toBe(serialOpenBackoffMsMax);
    expect(serialOpenBackoffMsMax).toBeLessThan(5_000 / 2);
  });

  test('opens an unplugged port again; what was begun is a dead letter and does not spoil the next line', async () => {
    start();
    await isOpen();
    port.send('{"n":1}\n{"n"');
    port.unplug();
    await until('the loss is noticed', () => source.status().state === 'lost');
    expect(metrics.value('headwater_serial_open', { port: 'wind' })).toBe(0);
    await until('attempts to open it', () => port.attempts > 5);
    port.plugIn();
    await isOpen();
    expect(metrics.value('headwater_serial_open', { port: 'wind' })).toBe(1);
    port.send('{"n":2}\n');
    await stored(3);
    expect(log.shown()).toEqual(['{"n":1}', 'frame-incomplete: {"n"', '{"n":2}']);
    expect(port.opens).toBe(2);
    expect(logger.lines).toEqual([
      expect.stringContaining('/dev/wind is lost (unplugged)'),
      expect.stringContaining('there is no such port'),
    ]);
  });

  test('says little about a port that comes and goes all the time', async () => {
    start();
    for (let round = 0; round < 50; round += 1) {
      await isOpen();
      port.unplug();
      port.plugIn();
      await until('it is opened again', () => port.opens > round + 1);
    }
    const virtualMs = clock.sleeps.reduce((sum, ms) => sum + ms, 0);
    const intervals = 1 + Math.ceil(virtualMs / limits.sourceNoticeIntervalMs);
    expect(logger.lines.length).toBeLessThanOrEqual(intervals * limits.sourceNoticesMax);
  });

  test('reads on while the log hangs and the device cannot be held back: the oldest frames are dropped and counted', async () => {
    start();
    await isOpen();
    log.isHolding = true;
    const room = limits.serialPendingBytesMax / limits.serialRecordOverheadBytes;
    const lines = room * 2;
    for (let n = 0; n < lines; n += 1) port.send(`{"n":${n}}\n`);
    expect(port.isPaused).toBe(false);
    const { dropped, lastError } = source.status();
    expect(dropped).toBeGreaterThan(room / 2);
    expect(lastError?.message).toContain('the oldest frames of the serial port are dropped');
    expect(metrics.value('headwater_serial_dropped_total', { port: 'wind' })).toBe(dropped);
    log.letGo();
    await until('the last one', () => log.shown().at(-1) === `{"n":${lines - 1}}`);
    expect(log.shown()).toContain(`records-dropped: {"dropped":${dropped},"overSeconds":0}`);
    expect(log.records).toHaveLength(lines - dropped + 1);
  });

  test('pauses a port with flow control while too much waits for a slow log, and loses nothing', async () => {
    start(holdable);
    await isOpen();
    log.isHolding = true;
    const line = `{"x":"${'y'.repeat(1000)}"}\n`;
    const lines = Math.ceil((3 * limits.serialPendingBytesMax) / line.length);
    for (let sent = 0; sent < lines; sent += 1) port.send(line);
    expect(port.isPaused).toBe(true);
    await until('an offer', () => log.offers === 1);
    log.letGo();
    await stored(lines);
    expect(log.offers).toBeGreaterThan(1);
    expect(log.concurrentOffersMax).toBe(1);
    expect(port.isPaused).toBe(false);
    expect(source.status()).toMatchObject({ frames: lines, dropped: 0, deadLetters: 0 });
  });

  test('notices the end of a paused port once the log is back', async () => {
    start(holdable);
    await isOpen();
    log.isHolding = true;
    while (!port.isPaused) port.send(`{"x":"${'y'.repeat(1000)}"}\n`);
    port.unplug();
    log.letGo();
    await until('the loss is noticed', () => source.status().state === 'lost');
    port.plugIn();
    await isOpen();
  });

  test('offers the same frames again, in order, while the log refuses, and reads on', async () => {
    start(holdable);
    await isOpen();
    log.refuse();
    for (let n = 0; n < 100; n += 1) port.send(`{"n":${n}}\n`);
    await until('several offers', () => log.offers > 5);
    port.send('{"n":100}\n');
    expect(port.isPaused).toBe(false);
    expect(source.status().lastError?.message).toContain('the disk does not answer');
    log.refusal = null;
    await stored(101);
    expect(log.shown()).toEqual(Array.from({ length: 101 }, (_, n) => `{"n":${n}}`));
    expect(source.status().dropped).toBe(0);
    expect(logger.lines).toHaveLength(1);
    // What holds for a log that refuses ends with the refusal.
    log.isHolding = true;
    for (let sent = 0; sent < limits.serialPendingBytesMax && !port.isPaused; sent += 1000)
      port.send(`{"x":"${'y'.repeat(1000)}"}\n`);
    expect(port.isPaused).toBe(true);
  });

  test('drops the oldest frames when the log refuses for too long, and a dead letter tells how many', async () => {
    start(holdable);
    await isOpen();
    log.refuse();
    port.send('{}\n');
    await until('the refusal', () => log.offers > 0 && source.status().lastError !== null);
    const room = limits.serialPendingBytesMax / limits.serialRecordOverheadBytes;
    const lines = room * 2;
    for (let n = 0; n < lines; n += 1) port.send(`{"n":${n}}\n`);
    expect(port.isPaused).toBe(false);
    const { dropped } = source.status();
    expect(dropped).toBeGreaterThan(room / 2);
    expect(metrics.value('headwater_serial_dropped_total', { port: 'wind' })).toBe(dropped);
    log.refusal = null;
    await until('the last one', () => log.shown().at(-1) === `{"n":${lines - 1}}`);
    // The very first frame may have been under offer when the dropping began.
    const [letter, ...rest] = log.shown().filter((shown) => shown !== '{}');
    expect(letter).toBe(`records-dropped: {"dropped":${dropped},"overSeconds":0}`);
    expect(rest).toHaveLength(lines + 1 - dropped - (log.shown().includes('{}') ? 1 : 0));
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, n) => `{"n":${lines - rest.length + n}}`));
  });

  test('stores what was read before it stops, also a line begun', async () => {
    start();
    await isOpen();
    log.isHolding = true;
    port.send('{"n":1}\n{"n":2}\n{"n"');
    const stopping = source.stop();
    log.letGo();
    await stopping;
    expect(log.shown()).toEqual(['{"n":1}', '{"n":2}', 'frame-incomplete: {"n"']);
    expect(port.isOpen).toBe(false);
  });

  test('stops in time when the log does not answer or refuses, and says what is lost', async () => {
    start();
    await isOpen();
    log.refuse();
    port.send('{}\n{}\n');
    await source.stop();
    expect(logger.lines.at(-1)).toContain('"records":2');
    expect(metrics.value('headwater_serial_dropped_total', { port: 'wind' })).toBe(2);
    expect(source.status().dropped).toBe(2);
  });

  test('closes a port that opens while it stops', async () => {
    start();
    await source.stop();
    expect(port).toMatchObject({ opens: 1, isOpen: false });
  });

  test('opens what stands for it now, and tries on when nothing does', async () => {
    let selection: Selection = { problem: 'there is no port usb 0403:6001' };
    start({ locate: () => Promise.resolve(selection) });
    await until('attempts', () => clock.sleeps.length > 3);
    expect(source.status()).toMatchObject({
      state: 'opening',
      device: null,
      lastError: { message: expect.stringContaining('there is no port usb 0403:6001') },
    });
    for (const device of ['/dev/ttyUSB0', '/dev/ttyUSB3']) {
      selection = { path: device, device };
      port.plugIn();
      await isOpen();
      expect([port.path, source.status().device]).toEqual([device, device]);
      port.unplug();
      await until('the loss is noticed', () => source.status().state === 'lost');
    }
  });

  const commands = (changed: Partial<PortCommands>): PortCommands => {
    return { start: [], poll: [], everyMs: 10_000, pauseMs: 100, ...changed };
  };
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

  test('sends the commands of the start after each opening, and polls at its interval', async () => {
    start({ commands: commands({ start: [bytes('A'), bytes('B')], poll: [bytes('w'), bytes('p')] }) });
    await until('two rounds', () => port.written.length >= 6);
    expect(port.written.slice(0, 6)).toEqual(['A', 'B', 'w', 'p', 'w', 'p']);
    // On this clock a sleep that is broken off, such as a time-out, takes its time as well.
    const roundMs = 2 * (100 + limits.serialWriteTimeoutMs);
    expect(clock.sleeps.find((ms) => ms > limits.serialWriteTimeoutMs)).toBe(10_000 - roundMs);
    port.written.length = 0;
    port.unplug();
    port.plugIn();
    await until('the start again', () => port.written.includes('B'));
    expect(port.written.slice(port.written.indexOf('A'))).toEqual(['A', 'B']);
    expect(metrics.value('headwater_serial_commands_total', { port: 'wind', outcome: 'sent' })).toBe(
      source.status().commands,
    );
  });

  test('opens a port again that does not take a command: it may not be read meanwhile', async () => {
    port.onWrite = () => new Promise(() => {});
    start({ commands: commands({ start: [bytes('A'), bytes('B')] }) });
    await until('it is opened again', () => port.opens > 1);
    expect(source.status().lastError?.message).toContain(
      'is lost (it does not take a command; does the device hold',
    );
    expect(new Set(port.written)).toEqual(new Set(['A']));
    expect(
      metrics.value('headwater_serial_commands_total', { port: 'wind', outcome: 'failed' }),
    ).toBeGreaterThan(0);
    port.onWrite = () => Promise.resolve();
    await until('all are sent', () => port.written.includes('B'));
  });

  test('says why a command failed, and goes on with the next', async () => {
    port.onWrite = () =>
      Promise.reject(new OperatingError('port-unusable', 'a command could not be sent (EIO)'));
    start({ commands: commands({ poll: [bytes('p')] }) });
    await until('two rounds', () => port.written.length >= 2);
    expect(source.status()).toMatchObject({
      commands: 0,
      lastError: { message: 'a command could not be sent (EIO)' },
    });
  });

  test('is stalled when nothing comes, says so once, and is open again with the next byte', async () => {
    start({ stalledAfterMs: 60_000 });
    await until('it is stalled', () => source.status().state === 'stalled');
    expect(metrics.value('headwater_serial_stalled', { port: 'wind' })).toBe(1);
    expect(metrics.value('headwater_serial_open', { port: 'wind' })).toBe(1);
    const turns = clock.sleeps.length;
    await until('time passes', () => clock.sleeps.length > turns + 5);
    expect(logger.lines).toEqual([expect.stringContaining('nothing has come from it for 60 s')]);
    port.send('{');
    expect(source.status().state).toBe('open');
    expect(metrics.value('headwater_serial_stalled', { port: 'wind' })).toBe(0);
  });

  test('keeps so many bad frames in an hour, and one dead letter tells of those left out', async () => {
    start();
    await isOpen();
    const { serialDeadLettersPerHourMax: most } = limits;
    clock.hold();
    port.send('no\n'.repeat(most + 5));
    port.send('[1]\n[2]\n{"n":1}\n');
    await stored(most + 1);
    expect(source.status()).toMatchObject({ frames: most + 8, deadLetters: most + 7, leftOut: 7 });
    expect(metrics.value('headwater_serial_dead_letters_left_out_total', { port: 'wind' })).toBe(7);
    clock.letGo();
    await stored(most + 2);
    expect(log.shown().at(-1)).toBe(
      'dead-letters-left-out: {"leftOut":{"not-json":5,"not-an-object":2},"overSeconds":0}',
    );
    port.send('no\n');
    await stored(most + 3);
    expect(log.shown().at(-1)).toBe('not-json: no');
  });

  test('tells at a stop of the bad frames that were left out', async () => {
    start();
    await isOpen();
    clock.hold();
    port.send('no\n'.repeat(limits.serialDeadLettersPerHourMax + 1));
    await stored(limits.serialDeadLettersPerHourMax);
    const stopping = source.stop();
    clock.letGo();
    await stopping;
    expect(log.shown().at(-1)).toBe('dead-letters-left-out: {"leftOut":{"not-json":1},"overSeconds":0}');
  });

  test('shows who watches how it is and what comes, as it comes', async () => {
    start({ commands: commands({ start: [bytes('A')] }) });
    const watching = new AbortController();
    const events = source.watch(watching.signal);
    await until('the command', () => port.written.length > 0);
    port.send('{"n": 1}\nno\n');
    port.unplug();
    const seen: PortEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.kind === 'state' && event.state === 'lost') watching.abort();
    }
    const atMs = expect.any(Number);
    expect(seen).toEqual([
      { kind: 'state', atMs, state: 'opening', device: null },
      { kind: 'state', atMs, state: 'open', device: '/dev/wind' },
      { kind: 'sent', atMs, bytes: bytes('A') },
      { kind: 'received', atMs, bytes: Uint8Array.from(bytes('{"n": 1}\nno\n')) },
      {
        kind: 'frame',
        atMs,
        bytes: Uint8Array.from(bytes('{"n": 1}')),
        value: bytes('{"n":1}'),
      },
      { kind: 'bad-frame', atMs, bytes: Uint8Array.from(bytes('no')), problem: 'not-json' },
      { kind: 'state', atMs, state: 'lost', device: '/dev/wind' },
    ]);
  });
});
