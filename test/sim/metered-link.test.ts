import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OperatingError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Forwarder, ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import { decodeAccount, encodeAccount, newAccount } from '../../src/forwarder/lanes/day-account.ts';
import { type HourSpan, parseSpan } from '../../src/forwarder/lanes/link-hours.ts';
import type { LaneName } from '../../src/log/types.ts';
import { localTimeAt } from '../support/local-time.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Fault, SimCluster, SimTarget } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { seededRandom, until } from '../support/virtual-time.ts';

const MIB = 1024 * 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TURNS_MIN = 20;
const TURNS_MAX = 2_000;
const quiet: ReadonlySet<string> = new Set(['idle', 'resting', 'backing-off', 'stopped']);

const spans = (...texts: readonly string[]): HourSpan[] =>
  texts.map(parseSpan).filter((span) => span !== undefined);

/** A site with a backlog of readings and now and then an alarm; it is noon there, and time passes only when the test says so. */
class Site {
  readonly log = new LogWithLives();
  readonly clock = new ManualClock();
  readonly cluster = new SimCluster();
  readonly expected = new Map<string, string[]>();
  /** What earlier runs have moved over the link. */
  readonly moved = { alarm: 0, bulk: 0 };
  readonly lines: string[] = [];
  answerBytes = 2_000;
  bytesPerDay: number | undefined;
  hours: readonly HourSpan[] | undefined;
  isClockSet = true;
  /** The clocks on the walls, before UTC. */
  aheadMs: number;
  faultOf: () => Fault | null = () => null;
  #targets: Record<LaneName, SimTarget> | null = null;
  #forwarder: Forwarder | null = null;
  #noiseState = 1;
  #appended = 0;

  constructor() {
    this.aheadMs = 0;
    this.log.createTopic('readings', 2);
    this.log.createTopic('alarms', 1, { lane: 'alarm' });
    this.#setTo('12:00');
  }

  get forwarder(): Forwarder {
    if (this.#forwarder === null) throw new Error('it is not started');
    return this.#forwarder;
  }

  target(lane: LaneName): SimTarget {
    if (this.#targets === null) throw new Error('it is not started');
    return this.#targets[lane];
  }

  /** What the lane has moved over the link in all runs. */
  movedBy(lane: LaneName): number {
    const target = this.#targets?.[lane];
    return this.moved[lane] + (target === undefined ? 0 : target.linkBytesWritten() + target.linkBytesRead());
  }

  get movedBytes(): number {
    return this.movedBy('alarm') + this.movedBy('bulk');
  }

  /** What counts as spent if it is killed now. */
  get storedBytes(): number {
    const stored = decodeAccount(this.log.memos().get('link-account') ?? encodeAccount(newAccount));
    if (!stored.ok) throw new Error(stored.reason);
    return stored.value.spentBytes;
  }

  start(options: Partial<ForwarderOptions> = {}): void {
    const targetOf = (): SimTarget =>
      new SimTarget({
        cluster: this.cluster,
        pause: setImmediate,
        answerBytes: this.answerBytes,
        faultOf: () => this.faultOf(),
      });
    const targets = { alarm: targetOf(), bulk: targetOf() };
    this.#targets = targets;
    const { log, clock, bytesPerDay, hours } = this;
    const started = simulatedForwarder(
      {
        log,
        clock,
        meteredLink: {
          bytesPerDay,
          hours,
          localTime: (wallMs) => localTimeAt(wallMs, this.aheadMs),
          isClockSet: () => this.isClockSet,
        },
        logger: {
          ...silentLogger,
          child: () => ({ ...silentLogger, info: (_: object, line: string) => void this.lines.push(line) }),
        },
        targetOf: (lane) => targets[lane],
        ...options,
      },
      this.cluster,
    );
    this.#forwarder = started.forwarder;
    started.forwarder.start();
  }

  /** Values that no compression makes smaller. */
  append(topic: string, partition: number, count: number, bytes: number): void {
    const values = Array.from({ length: count }, () => {
      this.#appended += 1;
      return `${this.#appended} ${this.#noise(Math.ceil((bytes * 3) / 4)).toString('base64')}`;
    });
    const toRecord = (value: string): LogRecord => ({
      key: null,
      value: Buffer.from(value),
      timestampMs: this.clock.wallMs(),
      headers: [],
    });
    for (const value of values) this.log.append(topic, partition, [toRecord(value)]);
    const key = `gw1.${topic}/${partition}`;
    this.expected.set(key, [...(this.expected.get(key) ?? []), ...values]);
  }

  /** Lets time pass, and all that is to be done be done. */
  async pass(ms: number): Promise<void> {
    this.clock.pass(ms);
    for (let turn = 0; turn < TURNS_MIN; turn += 1) await setImmediate();
    const isBusy = (): boolean => this.forwarder.status().lanes.some(({ state }) => !quiet.has(state));
    for (let turn = 0; turn < TURNS_MAX && isBusy(); turn += 1) await setImmediate();
  }

  /** Until the lane has called the cluster as often as this, or waits for the next day. */
  async untilCalls(lane: LaneName, calls: number): Promise<void> {
    const isResting = (): boolean => this.forwarder.status().lanes.some(({ state }) => state === 'resting');
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      if (this.target(lane).calls.length >= calls || isResting()) return;
      await setImmediate();
    }
  }

  /** Until the clock on the wall shows this. */
  async passTo(time: string, stepMs = MINUTE): Promise<void> {
    while (this.#time() !== time) await this.pass(stepMs);
  }

  /** Whatever the process had not made durable is gone. */
  async kill(): Promise<void> {
    const account = this.log.memos().get('link-account') ?? new Uint8Array();
    for (const lane of ['alarm', 'bulk'] as const) {
      this.target(lane).isCutOff = true;
      this.moved[lane] = this.movedBy(lane);
    }
    this.#targets = null;
    await this.forwarder.stop();
    this.#forwarder = null;
    await this.log.saveMemos(new Map([['link-account', account]]));
    this.log.startLife();
  }

  /** At noon of the next day. */
  async nextDay(): Promise<void> {
    while (!this.#time().endsWith(':00')) await this.pass(MINUTE);
    await this.passTo('00:00', HOUR);
    await this.passTo('12:00', HOUR);
  }

  count(topic: string): number {
    return [0, 1].reduce((sum, partition) => sum + this.cluster.values(`gw1.${topic}`, partition).length, 0);
  }

  expectAllOnce(): void {
    for (const [key, values] of this.expected) {
      const [topic = '', partition] = key.split('/');
      expect(this.cluster.values(topic, Number(partition))).toEqual(values);
    }
  }

  /** Xorshift (Marsaglia 2003): quick, since there is much of it. */
  #noise(bytes: number): Buffer {
    const noise = new Uint32Array(Math.ceil(bytes / 4));
    for (let at = 0; at < noise.length; at += 1) {
      let state = this.#noiseState;
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.#noiseState = state;
      noise[at] = state;
    }
    return Buffer.from(noise.buffer, 0, bytes);
  }

  #time(): string {
    return new Date(this.clock.wallMs() + this.aheadMs).toISOString().slice(11, 16);
  }

  #setTo(time: string): void {
    while (this.#time() !== time) this.clock.setWallBy(1000 - (this.clock.wallMs() % 1000) || 1000);
  }
}

describe('rules that change while the forwarder runs', () => {
  test('let a bulk that rests go on at once, and have it rest again, each record once', async () => {
    const site = new Site();
    site.hours = spans('22:00-06:00');
    site.append('readings', 0, 3, 100);
    site.start();
    await site.pass(1);
    expect(site.count('readings')).toBe(0);
    site.forwarder.useLink({});
    await site.pass(1);
    expect(site.count('readings')).toBe(3);
    expect(site.forwarder.status().link).toBeNull();
    site.forwarder.useLink({ hours: spans('22:00-06:00') });
    await site.pass(1);
    expect(site.forwarder.status().link?.rest).toMatchObject({ reason: 'hours' });
    site.append('readings', 1, 3, 100);
    await site.pass(1);
    expect(site.count('readings')).toBe(3);
    site.forwarder.useLink({ hours: spans('11:00-13:00') });
    await site.pass(1);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('bound the bytes of the day from then on, what went today included', async () => {
    const site = new Site();
    site.append('readings', 0, 100, 1000);
    site.start();
    await site.pass(MINUTE);
    expect(site.count('readings')).toBe(100);
    site.forwarder.useLink({ bytesPerDay: 2 * MIB });
    expect(site.forwarder.status().link?.spentBytes).toBe(site.movedBytes);
    site.append('readings', 0, 4000, 1000);
    await site.pass(MINUTE);
    expect(site.forwarder.status().link?.rest).toMatchObject({ reason: 'budget' });
    expect(site.movedBytes).toBeLessThanOrEqual(2 * MIB);
    expect(site.count('readings')).toBeGreaterThan(100);
    site.forwarder.useLink({ bytesPerDay: 100 * MIB });
    await site.pass(MINUTE);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('have a transaction take no more than leaves at the new rate in the time that is wanted', async () => {
    const commitsAt = async (bytesPerSecond: number | undefined): Promise<number> => {
      const site = new Site();
      site.start();
      await site.pass(1);
      site.forwarder.useLink({ bytesPerSecond });
      site.append('readings', 0, 200, 1000);
      await site.pass(MINUTE);
      site.expectAllOnce();
      await site.forwarder.stop();
      return site.target('bulk').calls.filter((call) => call === 'commit').length;
    };
    const unbounded = await commitsAt(undefined);
    // 16 KiB/s for 5 s are 80 KiB, of 200 kB.
    expect(await commitsAt(16 * 1024)).toBeGreaterThanOrEqual(unbounded + 2);
  });
});

describe('hours', () => {
  test('are kept: outside of them bulk has no session, and alarms go', async () => {
    const site = new Site();
    site.hours = spans('22:00-06:00', '12:30-12:40');
    site.append('readings', 0, 3, 100);
    site.append('alarms', 0, 1, 100);
    site.start();
    await site.pass(MINUTE);
    expect(site.count('alarms')).toBe(1);
    expect(site.target('bulk').calls).toEqual([]);
    await site.passTo('12:29');
    const waiting = site.forwarder.status();
    expect(waiting).toMatchObject({
      state: 'resting',
      message: 'lane bulk: bulk waits until 12:30 (forwarder.hours)',
      lagRecords: 3,
      isStale: false,
      drain: { state: 'waits' },
      lastError: null,
      link: { hours: ['22:00-06:00', '12:30-12:40'], rest: { reason: 'hours', until: '12:30' } },
    });
    expect(site.count('readings')).toBe(0);
    await site.passTo('12:30');
    await site.pass(0);
    expect(site.count('readings')).toBe(3);
    expect(site.target('bulk').isConnected).toBe(true);
    await site.passTo('12:40');
    await site.pass(0);
    expect(site.target('bulk').isConnected).toBe(false);
    site.append('readings', 1, 1, 100);
    site.append('alarms', 0, 1, 100);
    await site.passTo('21:59');
    expect(site.count('readings')).toBe(3);
    expect(site.count('alarms')).toBe(2);
    expect(site.forwarder.status()).toMatchObject({ isStale: false, lagRecords: 1 });
    await site.passTo('22:00');
    await site.pass(0);
    site.expectAllOnce();
    await site.forwarder.stop();
    expect(site.lines).toEqual([
      'bulk waits until 12:30 (forwarder.hours)',
      'bulk waits until 22:00 (forwarder.hours)',
    ]);
  });

  test('are those of the clock as it is set, within a minute', async () => {
    const site = new Site();
    site.hours = spans('13:00-14:00');
    site.append('readings', 0, 1, 100);
    site.start();
    await site.pass(MINUTE);
    // A time server, or daylight saving: it is 13:01 at once.
    site.aheadMs += HOUR;
    await site.pass(MINUTE);
    expect(site.count('readings')).toBe(1);
    site.clock.setWallBy(3 * HOUR);
    await site.pass(MINUTE);
    expect(site.target('bulk').isConnected).toBe(false);
    site.clock.setWallBy(-3 * HOUR);
    site.append('readings', 0, 1, 100);
    await site.pass(MINUTE);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('are not known before the clock is set: bulk waits, and says so', async () => {
    const site = new Site();
    site.hours = spans('12:00-13:00');
    site.isClockSet = false;
    site.append('readings', 0, 1, 100);
    site.append('alarms', 0, 1, 100);
    site.start();
    await site.pass(MINUTE);
    expect(site.count('alarms')).toBe(1);
    expect(site.target('bulk').calls).toEqual([]);
    expect(site.forwarder.status()).toMatchObject({
      message: expect.stringContaining('bulk waits until the clock is set'),
      link: { rest: { reason: 'clock', until: null, secondsLeft: null } },
    });
    site.isClockSet = true;
    await site.pass(MINUTE);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('hold back alarms that wait for a row of gaps, and nothing calls that well', async () => {
    const site = new Site();
    site.hours = spans('13:00-14:00');
    site.log.createTopic('gaps', 1);
    site.start();
    await site.pass(MINUTE);
    site.append('gaps', 0, 1, 100);
    site.append('alarms', 0, 3, 100);
    site.log.moveLogStart('alarms', 0, 2);
    for (let minutes = 0; minutes < 5; minutes += 1) await site.pass(MINUTE);
    expect(site.count('alarms')).toBe(0);
    const { isStale, warnings, lanes } = site.forwarder.status();
    expect({ isStale, warnings }).toEqual({
      isStale: true,
      warnings: [expect.stringContaining('alarms-0 waits until topic gaps has arrived')],
    });
    expect(lanes.find(({ lane }) => lane === 'bulk')?.state).toBe('resting');
    await site.passTo('13:00');
    await site.pass(MINUTE);
    expect([site.count('gaps'), site.count('alarms')]).toEqual([1, 1]);
    await site.forwarder.stop();
  });

  test('end no wait for a stop, and begin none in the middle of one', async () => {
    const site = new Site();
    site.hours = spans('22:00-06:00');
    site.append('readings', 0, 1, 100);
    site.start();
    await site.pass(MINUTE);
    await site.forwarder.stop();
    expect(site.forwarder.status().state).toBe('stopped');
    expect(site.target('bulk').calls).toEqual([]);
  });

  test('do not make a backlog stale that has just begun to be sent, nor promise that it will be gone in time', async () => {
    const site = new Site();
    site.hours = spans('13:00-14:00');
    site.append('readings', 0, 50, 1000);
    site.start({ transactionBytesMax: 2_000 });
    await site.passTo('12:59');
    site.faultOf = () => 'unreachable';
    await site.passTo('13:00');
    await site.pass(0);
    expect(site.forwarder.status()).toMatchObject({ state: 'backing-off', isStale: false });
    for (let minutes = 0; minutes < 4; minutes += 1) await site.pass(MINUTE);
    expect(site.forwarder.status().isStale).toBe(true);
    // What failed before the hours end is no trouble while they are over.
    await site.passTo('14:01');
    const status = site.forwarder.status();
    expect(status).toMatchObject({ isStale: false, drain: { state: 'waits' } });
    expect(status.message).toBe('lane bulk: bulk waits until 13:00 tomorrow (forwarder.hours)');
    await site.forwarder.stop();
  });
});

describe('the bytes of a day', () => {
  test('are used, and not exceeded; the rest goes on the next days, each record once', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.append('readings', 0, 1200, 1000);
    site.append('readings', 1, 1200, 1000);
    site.start();
    await until('bulk waits', () => site.forwarder.status().link?.rest !== null);
    await site.pass(0);
    expect(site.movedBytes).toBeLessThanOrEqual(site.bytesPerDay);
    expect(site.movedBytes).toBeGreaterThan(site.bytesPerDay * 0.95);
    expect(site.target('bulk').isConnected).toBe(false);
    const { link, message, isStale, drain } = site.forwarder.status();
    expect(link).toMatchObject({
      spentBytes: site.movedBytes,
      rest: { reason: 'budget', until: 'midnight' },
    });
    expect(message).toContain('bulk waits until midnight');
    expect({ isStale, drain }).toMatchObject({ isStale: false, drain: { state: 'waits' } });
    const before = site.movedBy('bulk');
    site.append('alarms', 0, 100, 1000);
    await site.passTo('23:59');
    expect(site.count('alarms')).toBe(100);
    expect(site.movedBy('bulk')).toBe(before);
    for (let day = 0; day < 3; day += 1) await site.nextDay();
    await until('all is there', () => site.forwarder.status().lagRecords === 0);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('are both lanes’: what alarms take, bulk does without', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.append('alarms', 0, 900, 1000);
    site.start();
    await site.pass(MINUTE);
    expect(site.count('alarms')).toBe(900);
    expect(site.movedBytes).toBeGreaterThan(site.bytesPerDay / 2);
    site.append('readings', 0, 900, 1000);
    for (let minutes = 0; minutes < 30; minutes += 1) await site.pass(MINUTE);
    expect(site.movedBytes).toBeLessThanOrEqual(site.bytesPerDay);
    expect(site.count('readings')).toBeGreaterThan(0);
    await site.forwarder.stop();
  });

  test('are exceeded by one record at most, if it is larger than what is left', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.append('readings', 0, 20, 300_000);
    site.start();
    for (let minutes = 0; minutes < 10; minutes += 1) await site.pass(MINUTE);
    expect(site.movedBytes).toBeGreaterThan(site.bytesPerDay - 300_000);
    expect(site.movedBytes).toBeLessThan(site.bytesPerDay + 300_000);
    await site.forwarder.stop();
  });

  test('do not begin anew with a restart, however many there are', async () => {
    const site = new Site();
    site.bytesPerDay = 2 * MIB;
    // Without alarms, whose session starts are not held back.
    site.log.deleteTopic('alarms');
    site.append('readings', 0, 6000, 1000);
    const calls = new Set<number>();
    for (let restart = 0; restart < 200; restart += 1) {
      site.start({ transactionBytesMax: 20_000 });
      await site.untilCalls('bulk', restart % 13);
      for (let turn = restart % 4; turn > 0; turn -= 1) await setImmediate();
      calls.add(site.target('bulk').calls.length);
      // What is stored is never less than what has gone over the link.
      expect(site.storedBytes).toBeGreaterThanOrEqual(site.movedBytes);
      await site.kill();
      site.clock.pass(MINUTE);
    }
    // They hit everything from before the session start to several transactions.
    expect(Math.max(...calls)).toBeGreaterThan(6);
    expect(calls).toContain(0);
    expect(site.movedBytes).toBeLessThanOrEqual(site.bytesPerDay);
    expect(site.movedBytes).toBeGreaterThan(site.bytesPerDay / 2);
    site.start();
    for (let day = 0; day < 6; day += 1) await site.nextDay();
    await until('all is there', () => site.forwarder.status().lagRecords === 0);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('count session starts that never come to their end', async () => {
    const site = new Site();
    site.bytesPerDay = 2 * MIB;
    site.answerBytes = 40_000;
    site.log.deleteTopic('alarms');
    site.append('readings', 0, 1, 1000);
    for (let restart = 0; restart < 100; restart += 1) {
      site.start();
      for (let turn = 0; turn < 50 && !site.target('bulk').calls.includes('read-checkpoints'); turn += 1)
        await setImmediate();
      await site.kill();
    }
    expect(site.movedBytes).toBeGreaterThan(4 * site.answerBytes);
    expect(site.movedBytes).toBeLessThanOrEqual(site.bytesPerDay);
  });

  test('are not touched while nothing can be stored of them', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.log.deleteTopic('alarms');
    site.append('readings', 0, 1, 1000);
    site.start();
    await site.pass(0);
    await site.kill();
    site.append('readings', 0, 1, 1000);
    site.log.saveError = new OperatingError('log-unavailable', 'the disk does not answer');
    site.start();
    await until('it backs off', () => site.forwarder.status().state === 'backing-off');
    expect(site.forwarder.status().message).toContain('the disk does not answer');
    expect(site.target('bulk').calls).toEqual([]);
    await site.pass(MINUTE);
    site.expectAllOnce();
    await site.forwarder.stop();
  });

  test('do not begin anew while the clock is not set, nor when it is set back', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.append('readings', 0, 3000, 1000);
    site.start();
    for (let minutes = 0; minutes < 10; minutes += 1) await site.pass(MINUTE);
    const spent = site.movedBy('bulk');
    await site.kill();
    site.isClockSet = false;
    site.start();
    for (let hours = 0; hours < 30; hours += 1) await site.pass(HOUR);
    expect(site.forwarder.status().link?.rest).toEqual({ reason: 'budget', until: null, secondsLeft: null });
    expect(site.movedBy('bulk')).toBe(spent);
    site.clock.setWallBy(-5 * 24 * HOUR);
    site.isClockSet = true;
    await site.pass(MINUTE);
    expect(site.movedBy('bulk')).toBe(spent);
    await site.nextDay();
    expect(site.movedBy('bulk')).toBeGreaterThan(spent + MIB / 2);
    await site.forwarder.stop();
  });

  test('count as used up if a later release has stored what was spent otherwise', async () => {
    const site = new Site();
    site.bytesPerDay = 1 * MIB;
    site.append('readings', 0, 1, 1000);
    site.start();
    await site.kill();
    await site.log.saveMemos(new Map([['link-account', Buffer.from('{"version":9}')]]));
    site.start();
    await site.pass(MINUTE);
    expect(site.forwarder.status().link?.rest?.reason).toBe('budget');
    expect(site.count('readings')).toBe(0);
    await site.nextDay();
    await site.pass(MINUTE);
    site.expectAllOnce();
    await site.forwarder.stop();
  });
});

describe('a gateway on a metered link that crashes at any point, before a link that fails', () => {
  const faults: readonly Fault[] = [
    'unreachable',
    'answer-lost',
    'late',
    'refused',
    'part-refused',
    'hidden',
  ];

  test.each(Array.from({ length: 5 }, (_, index) => index + 1))(
    'keeps to the bytes of each day, and delivers each record once (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const below = (count: number): number => Math.floor(random.next() * count);
      const site = new Site();
      const bytesPerDay = 2 * MIB;
      site.bytesPerDay = bytesPerDay;
      if (seed % 2 === 0) site.hours = spans('02:00-20:00', '21:00-23:00');
      let faultRate = 0.1;
      site.faultOf = () => (random.next() < faultRate ? (faults[below(faults.length)] ?? null) : null);
      site.start();
      for (let day = 0; day < 3; day += 1) {
        const before = { all: site.movedBytes, alarm: site.movedBy('alarm') };
        for (let action = 0; action < 40; action += 1) {
          site.append('readings', below(2), below(120), 1 + below(2000));
          if (random.next() < 0.2) site.append('alarms', 0, 1, 100);
          site.clock.pass(below(20 * MINUTE));
          for (let turn = below(40); turn > 0; turn -= 1) await setImmediate();
          if (random.next() < 0.3) site.cluster.late.shift()?.();
          if (random.next() < 0.3) {
            await site.kill();
            site.start();
          }
        }
        const alarmBytes = site.movedBy('alarm') - before.alarm;
        expect(site.movedBytes - before.all).toBeLessThanOrEqual(bytesPerDay + alarmBytes);
        await site.nextDay();
      }
      faultRate = 0;
      for (let day = 0; day < 20 && site.forwarder.status().lagRecords > 0; day += 1) await site.nextDay();
      site.expectAllOnce();
      await site.forwarder.stop();
    },
  );
});
