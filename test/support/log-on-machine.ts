import type { NewRecord } from '../../src/core/record.ts';
import { clockTopicName } from '../../src/core/topic-name.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { readRecords } from './log-on-disk.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimMachine } from './sim-machine.ts';
import { open } from './small-segments.ts';

/** A log with small files on this machine. */
export const openOn = (machine: SimMachine, disk: SimDisk, more: Partial<LogOptions> = {}): Promise<Log> =>
  open(disk, { clock: machine, readClock: machine.read, ...more });

/** Something that is received now. */
export const received = (machine: SimMachine, value: string, topic = 'a'): NewRecord => ({
  topic,
  partition: 0,
  key: null,
  value: Buffer.from(value),
  headers: [],
  receivedMs: machine.monotonicMs(),
});

/** The stamps of a topic by the values of its records. */
export async function stamps(log: Log, topic = 'a'): Promise<Map<string, number>> {
  const records = await readRecords(log, topic, 0);
  return new Map(records.map(({ value, timestampMs }) => [Buffer.from(value ?? []).toString(), timestampMs]));
}

/** A record of the topic `clock`. */
export interface ClockRow {
  readonly epoch: number;
  readonly clock: 'set' | 'not-set';
  readonly began: string;
  readonly corrected: readonly { readonly epoch: number; readonly shiftMs: number }[];
}

/** What the topic `clock` tells. */
export async function told(log: Log): Promise<readonly ClockRow[]> {
  const records = await readRecords(log, clockTopicName, 0);
  return records.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as ClockRow);
}
