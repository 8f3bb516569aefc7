import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkpointKey, transactionalId } from '../../src/forwarder/cluster/names.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import {
  decodeCheckpoint,
  decodeCopy,
  encodeCheckpoint,
  encodeCopy,
  extendLives,
} from '../../src/forwarder/mirror/checkpoint.ts';

const life = (name: string, firstOffset: number) => ({ life: name, firstOffset });
const hex = (digit: string): string => digit.repeat(32);

describe('a checkpoint', () => {
  test('has the key and the value that every release has to read', () => {
    const { checkpointTopic } = new TopicMapping({ gateway: 'gw1', topics: ['*'] });
    expect(checkpointTopic).toBe('gw1.headwater-checkpoint');
    expect(checkpointKey(hex('a'), 'readings', 3)).toBe(`${hex('a')}/readings/3`);
    expect(transactionalId(hex('a'), 'bulk')).toBe(`headwater-${hex('a')}-bulk`);
    const bytes = encodeCheckpoint({ nextOffset: 12, lives: [life(hex('1'), 0), life(hex('2'), 7)] });
    expect(Buffer.from(bytes).toString()).toBe(
      `{"version":1,"nextOffset":12,"lives":[["${hex('1')}",0],["${hex('2')}",7]]}`,
    );
  });

  test('reads back as it was written', () => {
    const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const lives = fc
      .array(fc.tuple(fc.stringMatching(/^[0-9a-f]{32}$/), offset), { maxLength: 8 })
      .map((list) => list.sort((a, b) => a[1] - b[1]).map(([name, first]) => life(name, first)));
    fc.assert(
      fc.property(fc.record({ nextOffset: offset, lives }), (checkpoint) => {
        expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual({ ok: true, value: checkpoint });
      }),
    );
  });

  test.each([
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{"version":2,"nextOffset":1,"lives":[]}', 'version is 2'],
    ['{"nextOffset":1,"lives":[]}', 'version is undefined'],
    ['{"version":1,"nextOffset":-1,"lives":[]}', 'nextOffset'],
    ['{"version":1,"nextOffset":1.5,"lives":[]}', 'nextOffset'],
    ['{"version":1,"nextOffset":1}', 'lives'],
    ['{"version":1,"nextOffset":1,"lives":[["short",0]]}', 'lives'],
    [`{"version":1,"nextOffset":1,"lives":[["${hex('1')}",5],["${hex('2')}",4]]}`, 'lives'],
    [`{"version":1,"nextOffset":1,"lives":${JSON.stringify(Array(9).fill([hex('1'), 0]))}}`, 'lives'],
  ])('that reads %j is refused with its reason', (text, reason) => {
    const decoded = decodeCheckpoint(Buffer.from(text));
    expect(decoded.ok ? 'accepted' : decoded.reason).toContain(reason);
  });

  test('of any bytes is a value or a reason, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof decodeCheckpoint(bytes).ok).toBe('boolean');
      }),
    );
  });
});

describe('the copy of a checkpoint', () => {
  test('comes back as it was written, with the transaction in doubt and without', () => {
    const checkpoint = { nextOffset: 7, lives: [{ life: hex('a'), firstOffset: 2 }] };
    for (const sendingTo of [null, 9]) {
      const copy = { ...checkpoint, clusterId: 'MkU3', sendingTo };
      expect(decodeCopy(encodeCopy(copy))).toEqual({ ok: true, value: copy });
    }
  });

  test.each([
    ['{"version":1,"nextOffset":1,"lives":[]}', 'clusterId is no text'],
    ['{"version":1,"clusterId":"c","sendingTo":-1,"nextOffset":1,"lives":[]}', 'sendingTo is not an offset'],
    ['{"version":1,"clusterId":"c","lives":[]}', 'nextOffset is not an offset'],
    ['{"version":2}', 'its version is 2, and this release reads 1'],
  ])('that is damaged is refused with a reason: %s', (text, reason) => {
    expect(decodeCopy(Buffer.from(text))).toEqual({ ok: false, reason });
  });
});

describe('the lives of a checkpoint', () => {
  test('are those sent, each from its first offset sent', () => {
    expect(extendLives([], 5, [life('A', 0), life('B', 9)])).toEqual([life('A', 5), life('B', 9)]);
    expect(extendLives([life('A', 5)], 7, [life('A', 0)])).toEqual([life('A', 5)]);
  });

  test('forget what was sent beyond the point of resuming', () => {
    expect(extendLives([life('A', 0), life('B', 6)], 6, [life('C', 6)])).toEqual([
      life('A', 0),
      life('C', 6),
    ]);
  });

  test('are at most the last eight', () => {
    const many = Array.from({ length: 12 }, (_, index) => life(`life${index}`, index));
    expect(extendLives(many.slice(0, 8), 8, many.slice(8))).toEqual(many.slice(4));
  });
});
