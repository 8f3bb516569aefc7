import { describe, expect, test } from 'vitest';
import { objectionsOf, type Refused } from '../../src/forwarder/kafka/kafka-objections.ts';

const refused = (
  code: number,
  change: Partial<Refused['sent']> = {},
  badRecords: number[] = [],
): Refused => ({
  sent: {
    topic: 'gw1.a',
    partition: 2,
    batch: { bytes: new Uint8Array(), recordCount: 10 },
    source: { topic: 'a', partition: 2, fromOffset: 100, nextOffset: 110, offsets: null },
    ...change,
  },
  answer: { topic: 'gw1.a', partition: 2, code, badRecords },
});

describe('what a broker refuses', () => {
  test.each([
    [10, 'too-large', 'MESSAGE_TOO_LARGE'],
    [18, 'too-large', 'RECORD_LIST_TOO_LARGE'],
    [32, 'bad', 'INVALID_TIMESTAMP'],
    [87, 'bad', 'INVALID_RECORD'],
    [2, 'doubtful', 'CORRUPT_MESSAGE'],
    [-1, 'doubtful', 'UNKNOWN_SERVER_ERROR'],
  ] as const)('is a batch with code %i', (code, verdict, cause) => {
    const [objection] = objectionsOf('produce', [refused(code)]);
    expect(objection).toMatchObject({
      topic: 'a',
      partition: 2,
      verdict,
      cause,
      batch: { fromOffset: 100, nextOffset: 110, recordCount: 10, badOffsets: [] },
      message: expect.stringContaining(`${cause} from the cluster when writing to gw1.a-2`),
    });
  });

  test.each([3, 5, 6, 7, 19, 20, 56, 999])('is the partition with code %i', (code) => {
    expect(objectionsOf('produce', [refused(code)])).toMatchObject([
      { topic: 'a', partition: 2, verdict: 'unwell', batch: null },
    ]);
  });

  test.each([17, 29, 43, 76])('is the topic with code %i', (code) => {
    expect(objectionsOf('begin', [refused(code)])).toMatchObject([{ topic: 'a', partition: null }]);
  });

  test('is nothing in particular if it only follows from something else, or is a checkpoint', () => {
    const ofTheTransaction = [45, 47, 48, 49, 51, 53, 55, 59, 90, 120];
    expect(
      objectionsOf(
        'produce',
        ofTheTransaction.map((code) => refused(code)),
      ),
    ).toEqual([]);
    expect(objectionsOf('produce', [refused(32, { source: null })])).toEqual([]);
  });

  test('is named by its offset in the log, unless some are missing in the batch and nobody knows which', () => {
    expect(objectionsOf('produce', [refused(32, {}, [0, 9, 10, -1])])).toMatchObject([
      { batch: { badOffsets: [100, 109] } },
    ]);
    const sparse = { topic: 'a', partition: 2, fromOffset: 100, nextOffset: 150, offsets: null };
    expect(objectionsOf('produce', [refused(32, { source: sparse }, [3])])).toMatchObject([
      { batch: { badOffsets: [] } },
    ]);
    const offsets = [100, 103, 107, 110, 111, 120, 121, 122, 140, 149];
    expect(
      objectionsOf('produce', [refused(32, { source: { ...sparse, offsets } }, [3, 9, 10, -1])]),
    ).toMatchObject([{ batch: { badOffsets: [110, 149] } }]);
  });
});
