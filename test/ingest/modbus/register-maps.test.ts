import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { registerMaps } from '../../../src/ingest/modbus/maps/register-maps.ts';
import { decodeRead, planReads } from '../../../src/ingest/modbus/read-plan.ts';
import { widthOf } from '../../../src/ingest/modbus/register.ts';

describe.each(Object.entries(registerMaps))('the map %s', (_, registers) => {
  test('has legal names, each once, and values that do not overlap', () => {
    const names = registers.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
    const sorted = registers.toSorted((one, other) => one.address - other.address);
    for (const [index, register] of sorted.slice(1).entries()) {
      const before = sorted[index];
      expect(register.address).toBeGreaterThanOrEqual(
        (before?.address ?? 0) + (before ? widthOf(before) : 0),
      );
    }
  });

  test('is read in a few requests, and gives a value of each register', () => {
    const reads = planReads(registers);
    expect(reads.length).toBeLessThanOrEqual(9);
    // Eastron's meters answer at most 80 registers at a time.
    for (const { count } of reads) expect(count).toBeLessThanOrEqual(80);
    const values = reads.flatMap((read) => decodeRead(read, new Uint8Array(read.count * 2)));
    expect(values.map(({ json }) => json)).toEqual(registers.map(() => '0'));
    expect(registers.length).toBeLessThanOrEqual(limits.modbusRegistersMax);
  });
});

test('a transmitter of temperature and humidity says what its data sheet says', () => {
  // The example of the manual: 0x0131 is 30.5 °C, 0x0222 is 54.6 %.
  const [read] = planReads(registerMaps['xy-md02']);
  const values = read === undefined ? [] : decodeRead(read, Uint8Array.of(0x01, 0x31, 0x02, 0x22));
  expect(values.map(({ register: { name }, json }) => [name, json])).toEqual([
    ['temperature', '30.5'],
    ['humidity', '54.6'],
  ]);
});
