import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { routeOf } from '../../src/edge/config/route-section.ts';
import { decodedBy, topicDecoders } from '../../src/edge/topic-decoders.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

const decoded = decodedBy(
  topicDecoders([
    routeOf({ match: 'dust/+', topic: 'dust', decoder: { type: 'sds011' } }),
    routeOf({ match: 'wind/+', topic: 'wind', decoder: { type: 'csv', columns: ['speed'], separator: ',' } }),
    routeOf({ match: 'plain/+', topic: 'plain' }),
  ]),
);

test('records of a topic are read by the decoder of its route, text and binary', () => {
  expect(decoded('wind', bytesOf('3.5'))).toEqual(bytesOf('{"speed":3.5}'));
  const frame = Uint8Array.fromHex('AAC0D404DC09A160BEAB');
  expect(decoded('dust', frame)).toEqual(bytesOf('{"pm2_5":123.6,"pm10":252.4}'));
});

test('records of other topics are as they came', () => {
  expect(decoded('plain', bytesOf('21.5'))).toEqual(bytesOf('21.5'));
  expect(decoded('readings', bytesOf('21.5'))).toEqual(bytesOf('21.5'));
  expect(decoded('constructor', bytesOf('21.5'))).toEqual(bytesOf('21.5'));
});

test('what the decoder cannot read, and what is too large, has nothing', () => {
  expect(decoded('dust', bytesOf('21.5'))).toBeNull();
  expect(decoded('wind', new Uint8Array(limits.seriesPayloadBytesMax + 1).fill(0x31))).toBeNull();
});
