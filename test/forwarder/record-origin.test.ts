import { expect, test } from 'vitest';
import { sourceName, withOrigin } from '../../src/forwarder/flush/record-origin.ts';

const record = (offset: number, headers: { name: string; value: Buffer }[] = []) => ({
  offset,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  timestampMs: 7,
  headers,
});

const origin = {
  source: sourceName('log', 'readings', 3),
  lives: () => [
    { life: 'first', firstOffset: 0 },
    { life: 'second', firstOffset: 10 },
  ],
};

const textsOf = ({ headers }: ReturnType<typeof withOrigin>) =>
  headers.map(({ name, value }) => `${name}=${Buffer.from(value).toString()}`);

test.each([
  [0, 'first'],
  [9, 'first'],
  [10, 'second'],
  [999, 'second'],
])('a record at offset %i says its partition, its life «%s» and its offset', (offset, life) => {
  const identified = withOrigin(record(offset), origin);
  expect(textsOf(identified)).toEqual([
    'headwater.source=log/readings/3',
    `headwater.life=${life}`,
    `headwater.offset=${offset}`,
  ]);
  expect({ ...identified, headers: [] }).toEqual(record(offset));
});

test('its own headers stay, in front', () => {
  const own = { name: 'mqtt.topic', value: Buffer.from('a/b') };
  expect(textsOf(withOrigin(record(1, [own]), origin))[0]).toBe('mqtt.topic=a/b');
});
