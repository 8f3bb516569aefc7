import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbersIn } from '../../../src/anomaly/series/payload.ts';
import { limits } from '../../../src/core/limits.ts';

const fieldsOf = (text: string): Record<string, number> =>
  Object.fromEntries(numbersIn(Buffer.from(text)).fields.map(({ path, value }) => [path, value]));

describe('numbers in a payload', () => {
  test('are the payload itself, where it is one', () => {
    expect(fieldsOf('21.5')).toEqual({ '': 21.5 });
    expect(fieldsOf(' -4e2\n')).toEqual({ '': -400 });
    expect(fieldsOf('.5')).toEqual({ '': 0.5 });
    expect(fieldsOf('nan')).toEqual({ '': Number.NaN });
    expect(fieldsOf('-Inf')).toEqual({ '': Number.NaN });
    for (const text of ['', 'on', '21,5', '0x10', '12 C', '1'.repeat(40), 'true', '"21.5"', '-'])
      expect(fieldsOf(text)).toEqual({});
  });

  test('are found in JSON wherever they are, and named by where', () => {
    const payload =
      '{"id":"a","air":{"temperature":21.5,"humidity":40},"cells":[3.1,3.2],"ok":true,"none":null}';
    expect(fieldsOf(payload)).toEqual({
      'air.temperature': 21.5,
      'air.humidity': 40,
      'cells.0': 3.1,
      'cells.1': 3.2,
    });
    expect(fieldsOf('[1,{"__proto__":2}]')).toEqual({ '0': 1, '1.__proto__': 2 });
  });

  test('that are the time of the device are its time, in whatever unit', () => {
    const at = 1_700_000_000_000;
    for (const time of ['1700000000', '1700000000000', '1700000000000000', '"2023-11-14T22:13:20Z"']) {
      const found = numbersIn(Buffer.from(`{"ts":${time},"value":1}`));
      expect(found.sourceTimeMs).toBe(at);
      expect(found.fields).toEqual([{ path: 'value', value: 1 }]);
    }
    expect(numbersIn(Buffer.from('{"meta":{"Time":1700000000},"t":21.5}'))).toMatchObject({
      sourceTimeMs: at,
      fields: [{ path: 't', value: 21.5 }],
    });
    expect(numbersIn(Buffer.from('{"time":"yesterday"}'))).toMatchObject({ sourceTimeMs: null, fields: [] });
  });

  test('are bounded in number, depth, length of their names and of the payload', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f${index}`, index]));
    expect(numbersIn(Buffer.from(JSON.stringify(many))).fields).toHaveLength(limits.seriesFieldsMax);
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect(fieldsOf(nested(limits.seriesDepthMax))).toEqual({ 'a.a.a.a.a.a.a.a': 1 });
    expect(fieldsOf(nested(limits.seriesDepthMax + 1))).toEqual({});
    expect(fieldsOf(nested(20_000))).toEqual({});
    expect(fieldsOf(JSON.stringify({ [`x${'y'.repeat(limits.seriesPathLengthMax)}`]: 1, z: 2 }))).toEqual({
      z: 2,
    });
    expect(fieldsOf(`{"v":1,"text":"${'x'.repeat(limits.seriesPayloadBytesMax)}"}`)).toEqual({});
  });

  test('are none in what is no JSON, and nothing throws', () => {
    for (const text of ['{', '{"a":1', '[1,', '{"a":01}', '\ufeff']) expect(fieldsOf(text)).toEqual({});
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (payload) => {
          for (const { path, value } of numbersIn(payload).fields) {
            expect(typeof value).toBe('number');
            expect(path.length).toBeLessThanOrEqual(limits.seriesPathLengthMax);
          }
        },
      ),
    );
  });
});
