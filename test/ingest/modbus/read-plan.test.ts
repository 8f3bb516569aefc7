import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import {
  answerBytesOf,
  decodeRead,
  halvesOf,
  type PlannedRead,
  planReads,
} from '../../../src/ingest/modbus/read-plan.ts';
import {
  isBitKind,
  type Register,
  register,
  registerKinds,
  registerTypes,
  widthOf,
} from '../../../src/ingest/modbus/register.ts';

const shown = (reads: readonly PlannedRead[] | null) =>
  reads?.map(({ kind, address, count, registers }) => [
    kind,
    address,
    count,
    registers.map(({ name }) => name).join(' '),
  ]);

const registers = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...registerKinds),
      address: fc.integer({ min: 0, max: 400 }),
      type: fc.constantFrom(...registerTypes),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((rows) =>
    rows.map(({ kind, address, type }, index) =>
      register({ name: `r${index}`, address, kind, type: isBitKind(kind) ? 'bit' : type }),
    ),
  );

describe('a plan of requests', () => {
  test('reads neighbours together, and over a small gap, in the order of their addresses', () => {
    const plan = planReads([
      register({ name: 'power', address: 12, kind: 'input', type: 'float32' }),
      register({ name: 'voltage', address: 0, kind: 'input', type: 'float32' }),
      register({ name: 'frequency', address: 70, kind: 'input', type: 'float32' }),
      register({ name: 'current', address: 6, kind: 'input', type: 'float32' }),
      register({ name: 'alarm', address: 3, kind: 'coil' }),
      register({ name: 'door', address: 5, kind: 'coil' }),
    ]);
    expect(shown(plan)).toEqual([
      ['input', 0, 14, 'voltage current power'],
      ['input', 70, 2, 'frequency'],
      ['coil', 3, 3, 'alarm door'],
    ]);
  });

  test('asks for no more than an answer holds', () => {
    const many = Array.from({ length: 126 }, (_, address) => register({ name: `r${address}`, address }));
    expect(planReads(many).map(({ address, count }) => [address, count])).toEqual([
      [0, limits.modbusRegistersPerReadMax],
      [125, 1],
    ]);
  });

  test('holds each register once, whole, within the bounds, whatever there is', () => {
    fc.assert(
      fc.property(registers, (all) => {
        const plan = planReads(all);
        const planned = plan.flatMap((read) => read.registers.map((one) => [read, one] as const));
        expect(planned.map(([, { name }]) => name).toSorted()).toEqual(
          all.map(({ name }) => name).toSorted(),
        );
        for (const [read, one] of planned) {
          expect(one.kind).toBe(read.kind);
          expect(one.address).toBeGreaterThanOrEqual(read.address);
          expect(one.address + widthOf(one)).toBeLessThanOrEqual(read.address + read.count);
        }
        for (const { kind, count } of plan)
          expect(count).toBeLessThanOrEqual(
            isBitKind(kind) ? limits.modbusBitsPerReadMax : limits.modbusRegistersPerReadMax,
          );
      }),
    );
  });

  test('is divided into halves until a single address is left', () => {
    const reads = planReads(['a', 'b', 'c'].map((name, index) => register({ name, address: index * 2 })));
    const [whole] = reads;
    const halves = whole === undefined ? null : halvesOf(whole);
    expect(shown(halves)).toEqual([
      ['holding', 0, 3, 'a b'],
      ['holding', 4, 1, 'c'],
    ]);
    const [, single] = halves ?? [];
    expect(single === undefined ? undefined : halvesOf(single)).toBe(null);
  });
});

describe('an answer', () => {
  const valuesOf = (read: PlannedRead, data: readonly number[]) =>
    decodeRead(read, Uint8Array.from(data)).map(({ register: { name }, json }) => [name, json]);
  const only = (all: readonly Register[]): PlannedRead =>
    planReads(all)[0] ?? { kind: 'coil', address: 0, count: 0, registers: [] };

  test('of registers is cut where each one begins', () => {
    const read = only([
      register({ name: 'a', address: 10 }),
      register({ name: 'b', address: 12, type: 'u32' }),
      register({ name: 'b0', address: 13, type: 'bit', bit: 0 }),
    ]);
    expect(answerBytesOf(read)).toBe(8);
    expect(valuesOf(read, [0, 1, 9, 9, 0, 1, 0, 3])).toEqual([
      ['a', '1'],
      ['b', '65539'],
      ['b0', 'true'],
    ]);
  });

  test('of bits has the lowest address in the lowest bit', () => {
    const read = only([3, 4, 11].map((address) => register({ name: `c${address}`, address, kind: 'coil' })));
    expect(answerBytesOf(read)).toBe(2);
    expect(valuesOf(read, [0b01, 0b1])).toEqual([
      ['c3', 'true'],
      ['c4', 'false'],
      ['c11', 'true'],
    ]);
  });
});
