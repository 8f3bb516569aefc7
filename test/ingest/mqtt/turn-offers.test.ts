import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { NewRecord } from '../../../src/core/record.ts';
import { TurnOffers } from '../../../src/ingest/mqtt/turn-offers.ts';

const record = (text: string): NewRecord => ({
  topic: 'readings',
  key: null,
  value: Buffer.from(text),
  headers: [],
  receivedMs: 0,
});

const textOf = ({ value }: NewRecord): string => Buffer.from(value ?? []).toString();

/** Offers to a log that refuses some records, and with them the requests that they are in. */
function offering(refuses: (record: NewRecord) => Error | null) {
  const requests: string[][] = [];
  const told: [string, string][] = [];
  const offers = new TurnOffers(
    (records) => {
      requests.push(records.map(textOf));
      const error = records.map(refuses).find((found) => found !== null);
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
    (error) => error instanceof OperatingError && error.code !== 'log-unavailable',
  );
  const add = (text: string): void =>
    offers.add(record(text), (error) =>
      told.push([text, error === null ? 'durable' : error instanceof OperatingError ? error.code : 'a bug']),
    );
  return { offers, add, requests, told };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes in one turn of the event loop is one request, and what comes in the next another', async () => {
  const { add, requests, told } = offering(() => null);
  for (const text of ['a', 'b', 'c']) add(text);
  expect(requests).toEqual([]);
  await turn();
  add('d');
  await turn();
  expect(requests).toEqual([['a', 'b', 'c'], ['d']]);
  expect(told).toEqual(['a', 'b', 'c', 'd'].map((text) => [text, 'durable']));
});

test('what is flushed goes at once, in its order', async () => {
  const { offers, add, requests } = offering(() => null);
  add('a');
  offers.flush();
  expect(requests).toEqual([['a']]);
  add('b');
  await turn();
  expect(requests).toEqual([['a'], ['b']]);
});

test('a request has a bound; what is larger goes alone', async () => {
  const { add, requests } = offering(() => null);
  const half = 'x'.repeat(limits.mqttOfferBytesMax / 2);
  for (const text of ['a', half, half, 'b']) add(text);
  await turn();
  expect(requests.map((texts) => texts.map(({ length }) => length))).toEqual([
    [1, half.length],
    [half.length, 1],
  ]);
});

test('a record that the log refuses for itself costs the others of its turn nothing', async () => {
  const gone = new OperatingError('unknown-topic', 'deleted meanwhile');
  const { add, requests, told } = offering((one) => (textOf(one) === 'bad' ? gone : null));
  for (const text of ['a', 'bad', 'b']) add(text);
  await turn();
  expect(requests).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
  expect(told.toSorted()).toEqual([
    ['a', 'durable'],
    ['b', 'durable'],
    ['bad', 'unknown-topic'],
  ]);
});

test('while the log takes nothing, all of a turn are refused, and not offered one by one', async () => {
  const off = new OperatingError('log-unavailable', 'no disk');
  const { add, requests, told } = offering(() => off);
  for (const text of ['a', 'b']) add(text);
  await turn();
  expect(requests).toHaveLength(1);
  expect(told).toEqual([
    ['a', 'log-unavailable'],
    ['b', 'log-unavailable'],
  ]);
});

test('of what is no refusal nobody knows what is stored: it is not offered again', async () => {
  const { add, requests, told } = offering(() => new TypeError('a bug of ours'));
  for (const text of ['a', 'b']) add(text);
  await turn();
  expect(requests).toHaveLength(1);
  expect(told).toEqual([
    ['a', 'a bug'],
    ['b', 'a bug'],
  ]);
});
