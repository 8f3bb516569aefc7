import type { RecordHeader } from '../../../core/record.ts';

/** What becoming durable does with a message, beside being delivered: at its QoS. */
export interface Effects {
  /** New subscribers of its topic are given it. Null if not. */
  readonly retain: number | null;
  /** It waits in sessions that outlast their connections. Null if in none. */
  readonly queue: number | null;
}

/** Those of most messages. */
export const noEffects: Effects = { retain: null, queue: null };

const noHeaders: readonly RecordHeader[] = [];
const names = { retain: 'mqtt.retain', queue: 'mqtt.qos' } as const;

/** Headers of a record that tell its effects, so that they can be made good after a crash; none for most. */
export function effectHeaders({ retain, queue }: Effects): readonly RecordHeader[] {
  if (retain === null && queue === null) return noHeaders;
  const header = (name: string, qos: number | null): RecordHeader[] =>
    qos === null ? [] : [{ name, value: Buffer.from(`${qos}`) }];
  return [...header(names.retain, retain), ...header(names.queue, queue)];
}

/** The effects of a record that was read back. */
export function effectsOf(headers: readonly RecordHeader[]): Effects {
  const qosOf = (wanted: string): number | null => {
    const value = headers.find(({ name }) => name === wanted)?.value;
    const qos = value === undefined ? Number.NaN : Number(Buffer.from(value).toString());
    return qos === 0 || qos === 1 || qos === 2 ? qos : null;
  };
  return { retain: qosOf(names.retain), queue: qosOf(names.queue) };
}
