import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Failure } from '../../src/forwarder/cluster/target.ts';
import { type KafkaCall, kafkaFailure } from '../../src/forwarder/kafka/kafka-failure.ts';
import { step } from '../../src/forwarder/mirror/mirror.ts';
import { initialState, type MirrorState, type Phase } from '../../src/forwarder/mirror/mirror-state.ts';

const now = { elapsedMs: 0, atMs: 0, jitter: 0.5 };

/** What the mirror does after this answer in this phase, in order. */
function actions(phase: Phase, call: KafkaCall, code: number): string[] {
  const state: MirrorState = { ...initialState(0, 'resume'), phase };
  const failure = kafkaFailure(call, code, 'x');
  return step(state, { type: 'failed', failure, ...now }).commands.map((command) =>
    command.type === 'sleep' ? `sleep ${command.ms}` : command.type,
  );
}

const again = ['sleep 11'];
const sessionStart = ['close', 'sleep 150'];
const longPause = ['close', 'sleep 45000'];

describe('an error code of Kafka leads to the right action', () => {
  test.each<[string, number, Phase, KafkaCall, readonly string[]]>([
    ['CONCURRENT_TRANSACTIONS at session start', 51, 'opening', 'begin', again],
    ['CONCURRENT_TRANSACTIONS at AddPartitionsToTxn', 51, 'sending', 'begin', again],
    ['CONCURRENT_TRANSACTIONS at EndTxn', 51, 'committing', 'end', again],
    ['COORDINATOR_NOT_AVAILABLE', 15, 'opening', 'coordinator', again],
    ['COORDINATOR_LOAD_IN_PROGRESS', 14, 'opening', 'begin', again],
    ['NOT_COORDINATOR at EndTxn', 16, 'committing', 'end', again],
    ['NOT_LEADER_OR_FOLLOWER at the checkpoint read', 6, 'resuming', 'read-checkpoints', again],
    ['NOT_LEADER_OR_FOLLOWER at Produce', 6, 'sending', 'produce', ['abort']],
    ['UNKNOWN_TOPIC_OR_PARTITION at Produce', 3, 'sending', 'produce', ['abort']],
    ['CONCURRENT_TRANSACTIONS at Produce', 51, 'sending', 'produce', ['abort']],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER at Produce', 45, 'sending', 'produce', ['abort']],
    ['MESSAGE_TOO_LARGE at Produce', 10, 'sending', 'produce', ['abort']],
    ['INVALID_TIMESTAMP at Produce', 32, 'sending', 'produce', ['abort']],
    ['NOT_ENOUGH_REPLICAS at Produce', 19, 'sending', 'produce', ['abort']],
    ['TOPIC_AUTHORIZATION_FAILED at Produce', 29, 'sending', 'produce', ['abort']],
    ['UNKNOWN_SERVER_ERROR at Produce', -1, 'sending', 'produce', ['abort']],
    ['a code that nobody knows at Produce', 999, 'sending', 'produce', ['abort']],
    ['INVALID_PRODUCER_EPOCH at Produce', 47, 'sending', 'produce', longPause],
    ['PRODUCER_FENCED at AddPartitionsToTxn', 90, 'sending', 'begin', longPause],
    ['PRODUCER_FENCED at EndTxn', 90, 'committing', 'end', longPause],
    ['INVALID_TXN_STATE at EndTxn', 48, 'committing', 'end', sessionStart],
    ['a code that nobody knows at EndTxn', 999, 'committing', 'end', sessionStart],
    ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 53, 'opening', 'begin', sessionStart],
    ['CLUSTER_AUTHORIZATION_FAILED', 31, 'opening', 'create-topic', sessionStart],
  ])('%s', (_, code, phase, call, expected) => {
    expect(actions(phase, call, code)).toEqual(expected);
  });

  test('a login that was refused is not tried again soon, whatever was going on', () => {
    for (const phase of ['opening', 'sending', 'committing'] as const) {
      const failure = { kind: 'unauthenticated', message: 'x' } as const;
      const { commands } = step({ ...initialState(0, 'resume'), phase }, { type: 'failed', failure, ...now });
      expect(commands).toEqual([{ type: 'close' }, { type: 'sleep', ms: 22_500 }]);
    }
  });

  test.each<[Phase, KafkaCall, number]>([
    ['sending', 'produce', 47],
    ['sending', 'produce', 48],
    ['committing', 'end', 48],
    ['committing', 'end', 90],
  ])('that a transaction is over which took too long is its size: when %s, %s, %i', (phase, call, code) => {
    const before: MirrorState = { ...initialState(0, 'resume'), phase };
    const failure = kafkaFailure(call, code, 'x');
    const elapsedMs = limits.transactionTimeoutMs;
    const failed = step(before, { type: 'failed', failure, ...now, elapsedMs });
    const { state } =
      phase === 'sending' ? step(failed.state, { type: 'aborted', atMs: 0, jitter: 0.5 }) : failed;
    expect(state).toMatchObject({ phase: 'backing-off', failure: { kind: 'slow', cause: failure.cause } });
    expect(state.failure?.message).toMatch(/took 60 s.*link is too slow.*the next one is smaller/);
    expect(state.failure?.message).not.toContain('gateway');
    expect(state.flushSize.bytes).toBeLessThan(before.flushSize.bytes / 2);
  });

  test.each<[Phase, Failure['kind']]>([
    ['sending', 'slow'],
    ['sending', 'refused'],
    ['sending', 'forbidden'],
    ['sending', 'unauthenticated'],
    ['committing', 'refused'],
    ['committing', 'fenced'],
  ])('a transaction that fails late is smaller the next time: when %s, %s', (phase, kind) => {
    const before: MirrorState = { ...initialState(0, 'resume'), phase };
    const sizeAfter = (elapsedMs: number): number =>
      step(before, { type: 'failed', failure: { kind, message: 'm' }, ...now, elapsedMs }).state.flushSize
        .bytes;
    const { bytes } = before.flushSize;
    expect(sizeAfter(limits.transactionMsMax)).toBe(bytes);
    expect(sizeAfter(limits.transactionMsMax + 1)).toBeLessThan(bytes / 2 + 1);
  });

  test('what is busy too long is a failure like any other, and told', () => {
    const repeats = limits.busyRepeatsMax;
    const failure = kafkaFailure('begin', 51, 'headwater-1-bulk');
    const { state, commands } = step(
      { ...initialState(0, 'resume'), phase: 'opening', repeats },
      { type: 'failed', failure, ...now },
    );
    expect(commands.map(({ type }) => type)).toEqual(['close', 'sleep']);
    expect(state.failure).toBe(failure);
  });

  test.each<[KafkaCall, number, RegExp]>([
    ['metadata', 29, /asking about x: grant Write on it, and if it is the checkpoint topic Read as well/],
    [
      'create-topic',
      29,
      /creating topic x: grant Create on topics that begin with the gateway's name, or create/,
    ],
    [
      'create-topic',
      31,
      /creating topic x: grant Create on topics that begin with the gateway's name, or create/,
    ],
    ['grow-topic', 29, /adding partitions to topic x: grant Alter on it/],
    ['begin', 29, /x: grant Write on it/],
    ['produce', 29, /writing to x: grant Write on it/],
    ['read-checkpoints', 29, /reading topic x: grant Read on it/],
    ['coordinator', 53, /grant Write on transactional ids that begin with headwater-/],
  ])('what is not allowed names the permission that is missing: %s, %i', (call, code, expected) => {
    const failure = kafkaFailure(call, code, 'x');
    expect(failure.kind).toBe('forbidden');
    expect(failure.message).toMatch(expected);
    expect(failure.message).toContain('The README lists what the cluster must grant');
  });

  test('what lies behind it is a name that we know, or one for all others', () => {
    expect(kafkaFailure('end', 51, 'x').cause).toBe('CONCURRENT_TRANSACTIONS');
    expect(kafkaFailure('produce', 999, 'x').cause).toBe(kafkaFailure('end', 998, 'x').cause);
  });

  test.each([
    [29, /TOPIC_AUTHORIZATION_FAILED .* gw1\.readings-0: grant Write/],
    [53, /grant Write on transactional ids that begin with headwater-/],
    [90, /another gateway runs with a copy of this data folder/],
    [10, /raise max\.message\.bytes/],
    [999, /error 999 from the cluster when writing to gw1\.readings-0/],
  ])('the message of %i says what to do', (code, expected) => {
    expect(kafkaFailure('produce', code, 'gw1.readings-0').message).toMatch(expected);
  });
});
