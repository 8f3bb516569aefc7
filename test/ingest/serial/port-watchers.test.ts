import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type PortEvent, PortWatchers } from '../../../src/ingest/serial/port-watchers.ts';

const received = (atMs: number, length = 1): PortEvent => {
  return { kind: 'received', atMs, bytes: new Uint8Array(length) };
};

async function take(events: AsyncIterable<PortEvent>, count: number): Promise<readonly PortEvent[]> {
  const taken: PortEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

test('each who watches is told everything from then on, in order, until it stops', async () => {
  const watchers = new PortWatchers();
  expect(watchers.isWatched).toBe(false);
  const one = new AbortController();
  const other = new AbortController();
  const first = watchers.watch(one.signal);
  watchers.tell(received(1));
  const second = watchers.watch(other.signal);
  const waiting = take(first, 2);
  watchers.tell(received(2));
  expect(await waiting).toEqual([received(1), received(2)]);
  one.abort();
  watchers.tell(received(3));
  expect(await take(second, 2)).toEqual([received(2), received(3)]);
  other.abort();
  expect(watchers.isWatched).toBe(false);
});

test('a stop ends a wait, and nothing is told to who has stopped before', async () => {
  const watchers = new PortWatchers();
  const stopping = new AbortController();
  const ended = take(watchers.watch(stopping.signal), 1);
  stopping.abort();
  expect(await ended).toEqual([]);
  expect(await take(watchers.watch(stopping.signal), 1)).toEqual([]);
  expect(watchers.isWatched).toBe(false);
});

test('who does not read is told how much it missed, and costs a bounded memory', async () => {
  const watchers = new PortWatchers();
  const events = watchers.watch(new AbortController().signal);
  const length = limits.serialReadBytesMax;
  const fitting = Math.floor(limits.serialWatchBytesMax / (length + limits.serialRecordOverheadBytes));
  for (let count = 0; count < fitting + 7; count += 1) watchers.tell(received(count, length));
  const iterator = events[Symbol.asyncIterator]();
  for (let count = 0; count < fitting; count += 1)
    expect((await iterator.next()).value).toMatchObject({ atMs: count });
  watchers.tell(received(99));
  expect((await iterator.next()).value).toEqual({ kind: 'missed', atMs: 99, count: 7 });
  expect((await iterator.next()).value).toEqual(received(99));
});
