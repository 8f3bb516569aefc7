import { localValues } from '../kafka/oracles.ts';
import { kafkaTools } from '../kafka/tools.ts';
import { type Finding, findWrongReadings } from '../support/reading-oracle.ts';
import { type GatewaySite, PARTITIONS } from './gateway-site.ts';

/** Three brokers under load may take their time for the first record. */
const CONSUME_TIMEOUT_MS = 20_000;

export interface Verdict {
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Everything that is wrong, in words. */
  readonly wrong: readonly string[];
}

/**
 * Both oracles over what a `read_committed` consumer sees: by the sensors' own list nothing is lost or out of order,
 * and each partition holds exactly the records of the local log, in its order. The mirror must have caught up.
 */
export async function judge({ kafka, topic, gateway, fleet }: GatewaySite): Promise<Verdict> {
  const consumed = await kafkaTools(kafka.cluster.bootstrap).consume(topic, {
    readCommitted: true,
    timeoutMs: CONSUME_TIMEOUT_MS,
  });
  const central = Array.from({ length: PARTITIONS }, (): string[] => []);
  for (const { partition, value } of consumed) central[partition]?.push(String(value));
  const bySensors = findWrongReadings(fleet.acknowledged, central.flat());
  const byLog: Finding[] = [];
  for (const [partition, there] of central.entries())
    byLog.push(...compareWithLog(partition, await localValues(gateway, partition), there));
  const most = (kind: Finding['kind']): number =>
    Math.max(...[bySensors, byLog].map((findings) => findings.filter((one) => one.kind === kind).length));
  return {
    lost: most('lost'),
    doubled: most('doubled'),
    reordered: most('reordered'),
    wrong: [...bySensors, ...byLog].map(({ text }) => text),
  };
}

/** What of a partition the cluster has otherwise than the log. No value of the log is there twice. */
export function compareWithLog(
  partition: number,
  here: readonly string[],
  there: readonly string[],
): readonly Finding[] {
  const wrong: Finding[] = [];
  const offsets = new Map(here.map((value, offset) => [value, offset]));
  const seen = new Set<number>();
  let last = -1;
  for (const [index, value] of there.entries()) {
    const offset = offsets.get(value);
    const place = `record ${index} of partition ${partition} in the cluster`;
    if (offset === undefined) wrong.push({ kind: 'doubled', text: `${place} is none of the log: ${value}` });
    else if (seen.has(offset))
      wrong.push({ kind: 'doubled', text: `${place} is offset ${offset} once more` });
    else if (offset < last)
      wrong.push({ kind: 'reordered', text: `${place} is offset ${offset}, after offset ${last}` });
    if (offset === undefined) continue;
    seen.add(offset);
    last = Math.max(last, offset);
  }
  for (const offset of offsets.values()) {
    if (!seen.has(offset))
      wrong.push({ kind: 'lost', text: `offset ${offset} of partition ${partition} is not in the cluster` });
  }
  return wrong;
}
