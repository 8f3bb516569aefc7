import type { ReceivedRecord } from '../../core/record.ts';
import { deadLetter } from '../dead-letter.ts';
import type { ReadFailure } from './read-failure.ts';
import type { PlannedRead } from './read-plan.ts';
import type { Register } from './register.ts';

const encoder = new TextEncoder();

/** A unit of a bus, and what is read of it. */
export interface ModbusUnit {
  /** The key of its records. */
  readonly name: string;
  /** Its number on the bus. */
  readonly unit: number;
  readonly topic: string;
  readonly intervalMs: number;
  /** No two of one name. */
  readonly registers: readonly Register[];
}

/**
 * The record of a poll: one JSON object with a field for each register that has a value, in the order of the configuration.
 * @param values JSON texts by the names of registers
 * @param receivedMs when the first of them was received, by the monotonic clock
 */
export function pollRecord(
  { name, topic, registers }: ModbusUnit,
  values: ReadonlyMap<string, string>,
  receivedMs: number,
): ReceivedRecord {
  const fields = registers.flatMap((register) => {
    const json = values.get(register.name);
    return json === undefined ? [] : [`${JSON.stringify(register.name)}:${json}`];
  });
  const value = encoder.encode(`{${fields.join(',')}}`);
  return { topic, key: encoder.encode(name), value, receivedMs, headers: [] };
}

/** The dead letter of a request that came to nothing. There are no bytes of a device: its value says, as JSON, what was asked. */
export function failedReadLetter(
  { name, unit }: ModbusUnit,
  { kind, address, count, registers }: PlannedRead,
  { reason, words }: ReadFailure,
  receivedMs: number,
): ReceivedRecord {
  const asked = { unit, kind, address, count, registers: registers.map((register) => register.name), words };
  return deadLetter(name, encoder.encode(JSON.stringify(asked)), receivedMs, reason);
}
