import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  type CheckpointLeader,
  type CheckpointLog,
  CheckpointReader,
} from '../../src/forwarder/kafka/checkpoint-reader.ts';
import type { FetchedBatch, FetchedPartition } from '../../src/forwarder/kafka/kafka-answers.ts';
import { LinkError } from '../../src/forwarder/kafka/link-trouble.ts';
import { Refusal } from '../../src/forwarder/kafka/refusal.ts';

/** What a transaction leaves in the topic: a batch of checkpoints, and the marker. */
const BATCH_BYTES = 300;
const RTT_MS = 300;
const KEYS = 20;

const log: CheckpointLog = { topic: 't', clusterId: 'c', topicId: 'id', leaderEpoch: 3 };

/** A broker behind a slow link, in virtual time: an answer that is not there in time costs the connection. */
class FarLeader implements CheckpointLeader {
  nowMs = 0;
  bytesPerSecond: number;
  /** So many were committed; the value of each is its number. */
  transactions = 0;
  /** What was asked for, and how long the answer took. */
  readonly asked: { readonly offset: number; readonly bytesMax: number; readonly tookMs: number }[] = [];
  /** So many Fetches are still answered with this code, or not at all for null. */
  failing: { readonly code: number | null; left: number } = { code: null, left: 0 };
  hiddenFrom = Number.POSITIVE_INFINITY;
  keyOf = (offset: number): string => `1/${offset % KEYS}`;
  /** By the other lane. */
  writesPerSecond = 0;
  /** Of what is there at this time, only the newest of each key stays. */
  compactsAtMs = Number.POSITIVE_INFINITY;
  #batches: FetchedBatch[] = [];

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  write(transactions: number): void {
    const until = this.transactions + transactions;
    for (; this.transactions < until; this.transactions += 1)
      this.#batches.push(batchAt(this.transactions, this.keyOf(this.transactions)));
  }

  offset(_topic: string, which: 'start' | 'end'): Promise<{ code: number; offset: number }> {
    this.#pass(RTT_MS);
    return Promise.resolve({ code: 0, offset: which === 'start' ? 0 : this.transactions });
  }

  fetchCommitted(_log: CheckpointLog, offset: number, bytesMax: number): Promise<FetchedPartition> {
    const { code, left } = this.failing;
    const lastStableOffset = Math.min(this.transactions, this.hiddenFrom);
    const start = this.#batches.findLastIndex(({ baseOffset }) => baseOffset < offset) + 1;
    const batches = this.#batches
      .slice(start, start + Math.max(1, Math.floor(bytesMax / BATCH_BYTES)))
      .filter(({ baseOffset }) => baseOffset < lastStableOffset);
    const bytes = batches.length * BATCH_BYTES;
    const tookMs = RTT_MS + (bytes / this.bytesPerSecond) * 1000;
    this.asked.push({ offset, bytesMax, tookMs });
    this.failing.left = Math.max(0, left - 1);
    if (tookMs > limits.kafkaRequestTimeoutMs || (left > 0 && code === null)) {
      this.#pass(limits.kafkaRequestTimeoutMs);
      return Promise.reject(new LinkError('', 'timeout', 'no answer in time'));
    }
    this.#pass(tookMs);
    const answered = left > 0 ? (code ?? 0) : 0;
    return Promise.resolve({ code: answered, lastStableOffset, abortedTransactions: [], batches, bytes });
  }

  #pass(ms: number): void {
    this.nowMs += ms;
    this.write(Math.round((ms * this.writesPerSecond) / 1000));
    if (this.nowMs < this.compactsAtMs) return;
    this.compactsAtMs = Number.POSITIVE_INFINITY;
    const newest = new Map(this.#batches.map((batch) => [this.keyOf(batch.baseOffset), batch]));
    this.#batches = [...newest.values()].sort((one, other) => one.baseOffset - other.baseOffset);
  }
}

/** With so many bytes of checkpoints. */
function leaderWith(bytes: number, bytesPerSecond: number): FarLeader {
  const leader = new FarLeader(bytesPerSecond);
  leader.write(Math.ceil(bytes / BATCH_BYTES));
  return leader;
}

const batchAt = (offset: number, key: string): FetchedBatch => ({
  baseOffset: offset,
  lastOffset: offset,
  producerId: 1n,
  isTransactional: true,
  isControl: false,
  records: [{ key: Buffer.from(key), value: Buffer.from(`${offset}`) }],
});

/** The newest value of each key. */
const expected = (transactions: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: transactions }, (_, offset) => [`1/${offset % KEYS}`, `${offset}`]),
  );

const asText = (values: ReadonlyMap<string, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...values].map(([key, value]) => [key, Buffer.from(value).toString()]));

const readBy = (reader: CheckpointReader, leader: FarLeader, of = log, prefixes = ['1/']) =>
  reader.read(of, prefixes, () => Promise.resolve(leader));

describe('megabytes of checkpoints', () => {
  test.each([
    [2_000_000, 1_000],
    [10_000_000, 10_000],
    [10_000_000, 100_000],
  ])(
    'are read, %i bytes at %i B/s, in one session and each answer well in time',
    async (bytes, bytesPerSecond) => {
      const leader = leaderWith(bytes, bytesPerSecond);
      const values = await readBy(new CheckpointReader(leader), leader);
      expect(asText(values)).toEqual(expected(leader.transactions));
      const longestMs = Math.max(...leader.asked.map(({ tookMs }) => tookMs));
      expect(longestMs).toBeLessThan(limits.kafkaRequestTimeoutMs / 3);
      expect(leader.nowMs).toBeLessThan((bytes / bytesPerSecond) * 1000 * 1.2);
    },
  );

  test('take few answers on a fast link', async () => {
    const leader = leaderWith(10_000_000, 10_000_000);
    await readBy(new CheckpointReader(leader), leader);
    expect(leader.asked.length).toBeLessThan(16);
  });
});

describe('a reading that was cut off', () => {
  /** Read up to the middle over a fast link, which then becomes as slow as this, so that the session breaks. */
  async function cutOff(): Promise<{ reader: CheckpointReader; leader: FarLeader; reached: number }> {
    const leader = leaderWith(1_000_000, 1_000_000);
    const reader = new CheckpointReader(leader);
    reader.begin();
    leader.hiddenFrom = leader.transactions / 2;
    await expect(readBy(reader, leader)).rejects.toThrow(Refusal);
    const reached = leader.hiddenFrom;
    leader.hiddenFrom = Number.POSITIVE_INFINITY;
    leader.failing = { code: null, left: 1 };
    leader.bytesPerSecond = 5_000;
    await expect(readBy(reader, leader)).rejects.toThrow(LinkError);
    leader.asked.length = 0;
    reader.begin();
    return { reader, leader, reached };
  }

  test('goes on where it was, within the session and in the next one, up to the end of that one', async () => {
    const { reader, leader, reached } = await cutOff();
    leader.write(1_000);
    expect(asText(await readBy(reader, leader))).toEqual(expected(leader.transactions));
    expect(leader.asked[0]).toMatchObject({ offset: reached, bytesMax: limits.checkpointFetchBytesMin });
  });

  test('waits, in the next session, for all that is before its own end', async () => {
    const { reader, leader } = await cutOff();
    leader.hiddenFrom = leader.transactions + 5;
    leader.write(10);
    await expect(readBy(reader, leader)).rejects.toThrow('hides topic t');
    leader.hiddenFrom = Number.POSITIVE_INFINITY;
    expect(asText(await readBy(reader, leader))).toEqual(expected(leader.transactions));
  });

  test.each([
    ['a topic made again under its name', { ...log, topicId: 'other' }, ['1/']],
    ['after an election', { ...log, leaderEpoch: 4 }, ['1/']],
    ['another cluster', { ...log, clusterId: 'other' }, ['1/']],
    ['another identity', log, ['2/', '1/']],
  ])('is not gone on with: %s', async (_, other, prefixes) => {
    const { reader, leader } = await cutOff();
    expect(asText(await readBy(reader, leader, other, prefixes))).toEqual(expected(leader.transactions));
    expect(leader.asked[0]?.offset).toBe(0);
  });

  test('is not gone on with after the broker has refused it', async () => {
    const { reader, leader } = await cutOff();
    leader.failing = { code: 1, left: 1 };
    await expect(readBy(reader, leader)).rejects.toThrow(Refusal);
    leader.asked.length = 0;
    await readBy(reader, leader);
    expect(leader.asked[0]?.offset).toBe(0);
  });
});

describe('what is written while the checkpoints are read', () => {
  test('is not waited for', async () => {
    const leader = leaderWith(300_000, 1_000_000);
    const reader = new CheckpointReader(leader);
    reader.begin();
    leader.hiddenFrom = 900;
    await expect(readBy(reader, leader)).rejects.toThrow(Refusal);
    // Our own session found its end before that.
    leader.hiddenFrom = leader.transactions;
    leader.write(100);
    expect(asText(await readBy(reader, leader))).toEqual(expected(leader.hiddenFrom));
  });

  test('hides no key, though compaction takes away what was there before the end', async () => {
    const leader = new FarLeader(10_000);
    // Keys that are not met before the middle, and do not fit into one answer.
    leader.keyOf = (offset) => `1/${offset < 5_000 ? offset % KEYS : 1_000 + (offset % 500)}`;
    leader.write(10_000);
    leader.writesPerSecond = 5;
    leader.compactsAtMs = 140_000;
    const values = await readBy(new CheckpointReader(leader), leader);
    expect(values.size).toBe(KEYS + 500);
  });
});

test('each session reads all anew, if nothing was cut off', async () => {
  const leader = leaderWith(30_000, 1_000_000);
  const reader = new CheckpointReader(leader);
  for (let session = 0; session < 2; session += 1) {
    reader.begin();
    leader.asked.length = 0;
    await readBy(reader, leader);
    expect(leader.asked[0]?.offset).toBe(0);
  }
});
