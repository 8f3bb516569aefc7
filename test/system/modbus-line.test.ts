import { expect, test } from 'vitest';
import type { Answer, Bus } from '../../src/ingest/modbus/bus.ts';
import { openModbusBus } from '../../src/ingest/modbus/modbus-serial-bus.ts';
import { ModbusSource } from '../../src/ingest/modbus/modbus-source.ts';
import { register } from '../../src/ingest/modbus/register.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { CountingMetrics, KeepingLogger } from '../ingest/mqtt/harness.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 300;
const REQUEST_BYTES = 8;
const READ_INPUT = 4;

const rtu = { kind: 'rtu', baud: 115_200, parity: 'none', stopBits: 1 } as const;

/** Modbus over Serial Line V1.02, 6.2.2. */
function withChecksum(bytes: readonly number[]): Buffer {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1) ^ ((crc & 1) * 0xa001);
  }
  return Buffer.from([...bytes, crc & 255, crc >> 8]);
}

/** What unit 1 says of registers. 0x0104 in them is how its answers begin. */
const answerOf = (...registers: readonly number[]): Buffer =>
  withChecksum([
    1,
    READ_INPUT,
    registers.length * 2,
    ...registers.flatMap((value) => [value >> 8, value & 255]),
  ]);

class Line implements AsyncDisposable {
  readonly #terminals: PseudoTerminals;
  readonly #bus: Bus;

  private constructor(terminals: PseudoTerminals, bus: Bus) {
    this.#terminals = terminals;
    this.#bus = bus;
  }

  static async open(folder: string): Promise<Line> {
    const terminals = await PseudoTerminals.start(folder);
    const { signal } = new AbortController();
    return new Line(
      terminals,
      await openModbusBus(nodeClock, { ...rtu, path: terminals.path }, TIMEOUT_MS, signal),
    );
  }

  /** Asks unit 1 for two registers; the device sends these bytes when it has heard that. */
  async ask(sent: Uint8Array): Promise<Answer> {
    const answer = this.#bus.read({ unit: 1, kind: 'input', address: 1, count: 2 });
    await this.#terminals.received(REQUEST_BYTES);
    await this.#terminals.send(sent);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus.close();
    await this.#terminals[Symbol.asyncDispose]();
  }
}

const registersOf = (...registers: readonly number[]): Answer => ({
  data: Buffer.from(registers.flatMap((value) => [value >> 8, value & 255])),
});

test('one byte lost of an answer, wherever, costs that answer and no other', async () => {
  await using folder = await temporaryFolder();
  await using line = await Line.open(folder.path);
  const whole = answerOf(0x0104, 0x0226);
  for (const at of whole.keys()) {
    const damaged = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]);
    expect(await line.ask(damaged)).toEqual({ problem: expect.any(Object) });
    expect(await line.ask(answerOf(0x0104, at))).toEqual(registersOf(0x0104, at));
    expect(await line.ask(answerOf(0x0105, at))).toEqual(registersOf(0x0105, at));
  }
});

test('a second answer in one chunk with the first is not that to the next request', async () => {
  await using folder = await temporaryFolder();
  await using line = await Line.open(folder.path);
  const twice = Buffer.concat([answerOf(1, 2), answerOf(3, 4)]);
  expect(await line.ask(twice)).toEqual(registersOf(1, 2));
  expect(await line.ask(answerOf(5, 6))).toEqual(registersOf(5, 6));
});

test.each([
  ['nothing in particular', [0xff, 0, 0x55]],
  ['the address of the unit', [1]],
  ['the beginning of an answer', [1, READ_INPUT, 4]],
  ['the first part of an answer', [1, READ_INPUT, 4, 0, 0, 0]],
  ['the beginning of an exception', [1, 0x80 | READ_INPUT]],
  ['more than any answer', new Array<number>(300).fill(1)],
])(
  'noise before an answer gives no value that is wrong, and spoils no other answer: %s',
  async (_, noise) => {
    await using folder = await temporaryFolder();
    await using line = await Line.open(folder.path);
    const disturbed = await line.ask(Buffer.concat([Buffer.from(noise), answerOf(0x0104, 2)]));
    if (!('problem' in disturbed)) expect(disturbed).toEqual(registersOf(0x0104, 2));
    expect(await line.ask(answerOf(3, 4))).toEqual(registersOf(3, 4));
  },
);

/** A device that answers one request after the other: with the address that is asked for, and some of its answers late. The terminals are its own. */
class AddressDevice implements AsyncDisposable {
  readonly #terminals: PseudoTerminals;
  readonly #delaysMs: number[] = [];
  readonly #running: Promise<void>;

  constructor(terminals: PseudoTerminals) {
    this.#terminals = terminals;
    this.#running = this.#run();
  }

  delay(...ms: readonly number[]): void {
    this.#delaysMs.push(...ms);
  }

  get isOnTime(): boolean {
    return this.#delaysMs.length === 0;
  }

  async #run(): Promise<void> {
    let heard = '';
    for (;;) {
      heard += await this.#terminals.received(REQUEST_BYTES - heard.length);
      const request = Buffer.from(heard.slice(0, REQUEST_BYTES), 'latin1');
      heard = heard.slice(REQUEST_BYTES);
      await nodeClock.sleep(this.#delaysMs.shift() ?? 0);
      await this.#terminals.send(answerOf(request.readUInt16BE(2)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It hears until its line is cut.
    const ended = this.#running.catch(() => {});
    await this.#terminals[Symbol.asyncDispose]();
    await ended;
  }
}

test('an answer that comes late is never stored as the value of another register', async () => {
  await using folder = await temporaryFolder();
  const terminals = await PseudoTerminals.start(folder.path);
  await using device = new AddressDevice(terminals);
  const values: string[] = [];
  const source = ModbusSource.start({
    name: 'plant',
    settings: { ...rtu, wish: { path: terminals.path } },
    locate: () => Promise.resolve({ path: terminals.path, device: terminals.path }),
    timeoutMs: TIMEOUT_MS,
    retries: 1,
    units: [
      {
        name: 'meter',
        unit: 1,
        topic: 'readings',
        intervalMs: 100,
        registers: [11, 222, 3333].map((address) =>
          register({ name: `at${address}`, address, kind: 'input' }),
        ),
      },
    ],
    open: (settings, timeoutMs, signal) => openModbusBus(nodeClock, settings, timeoutMs, signal),
    accept: (records) => {
      values.push(
        ...records
          .filter(({ topic }) => topic === 'readings')
          .map(({ value }) => Buffer.from(value ?? []).toString()),
      );
      return Promise.resolve();
    },
    clock: nodeClock,
    logger: new KeepingLogger(),
    metrics: new CountingMetrics(),
  });
  try {
    // Until the time-out; at the end of the rest after it; while the same is asked again; and so late that that gets no answer either.
    for (const lateMs of [290, 351, 360, 500, 900]) {
      const before = values.length;
      device.delay(0, lateMs);
      await expect.poll(() => device.isOnTime && values.length > before + 4, { timeout: 20_000 }).toBe(true);
    }
  } finally {
    await source.stop();
  }
  const fields = new Set(values.flatMap((value) => Object.entries(JSON.parse(value) as object)).map(String));
  expect(fields).toEqual(new Set(['at11,11', 'at222,222', 'at3333,3333']));
});
