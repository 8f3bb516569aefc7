import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { numberDecoder } from '../../../src/ingest/decode/number.ts';

const decode = numberDecoder({ name: 'n' });
const decoded = (text: string): unknown => {
  const result = decode(Buffer.from(text));
  return 'value' in result ? JSON.parse(Buffer.from(result.value).toString()) : result.problem;
};

describe('a number', () => {
  test.each([
    ['21.5', 21.5],
    [' - 7 ', -7],
    ['+.5', 0.5],
    ['1.5E3', 1500],
    ['0', 0],
  ])('may stand alone: %j', (text, n) => {
    expect(decoded(text)).toEqual({ n });
  });

  const longest = 'u'.repeat(limits.decoderUnitLengthMax);
  test.each([
    ...[
      'kg',
      '%',
      '%RH',
      '‰',
      '°C',
      '℃',
      'µg/m³',
      'μSv/h',
      'Ω',
      'kΩ',
      'eV',
      'm2',
      'm3',
      'm3/h',
      'm/s2',
      'm/s²',
    ],
    ...['min-1', 'kg·m-3', 'm·s⁻¹', 'm^2', 's^-1', 'kW-h', 'cmH2O', longest],
  ])('may have the unit %s, close or with space', (unit) => {
    expect(decoded(`-12.50${unit}`)).toEqual({ n: -12.5, unit });
    expect(decoded(`12 ${unit}\r`)).toEqual({ n: 12, unit });
  });

  test.each([
    ...['12:30', '12;5', '12,5', '1.2.3', '1/2', '5/min', '5V 3A', '5V3A', '12h30', '2026-11-26', '10-20'],
    ...['12}garbage', '12{', '12"', '12\0', '12 kg, ok', '12kg-', '12 kg 5', '12%5', '12 ²'],
    ...['0x1F', '0xFF', '0x1', '-0x1F', '0X10', '+ 0xA', '00x1', 'x', '', '-', 'kg', `1 ${longest}u`],
    '1'.repeat(limits.decoderNumberLengthMax + 1),
  ])('is not %j', (text) => {
    expect(decoded(text)).toBe('not-a-number');
  });
});
