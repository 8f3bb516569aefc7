import type { StatusReport } from '../../src/edge/status.ts';
import type { RunningGateway } from '../support/gateway-process.ts';
import { isExactDevice } from '../support/qos2-fleet.ts';
import { judgeReadings } from '../support/reading-oracle.ts';
import { type Reading, readingOf } from '../support/sensor-fleet.ts';
import { withoutDoubles } from '../support/without-doubles.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const DRAIN_MS_MAX = 150_000;

/** What the gateway says of itself. */
export async function statusOf(gateway: RunningGateway): Promise<StatusReport> {
  return (await (await gateway.api('/api/status')).json()) as StatusReport;
}

/** Resolves when the cluster has acknowledged all that the gateway has stored. */
export async function drained(gateway: RunningGateway): Promise<void> {
  const isDrained = async (): Promise<true | undefined> => {
    const { forwarder } = await statusOf(gateway);
    return (forwarder?.lagRecords === 0 && forwarder.state === 'idle') || undefined;
  };
  await until('the cluster has acknowledged everything', DRAIN_MS_MAX, isDrained).catch(
    async (cause: unknown) => {
      throw new Error(`the mirror is stuck: ${JSON.stringify((await statusOf(gateway)).forwarder)}`, {
        cause,
      });
    },
  );
}

export interface Evidence {
  /** Drained. */
  readonly gateway: RunningGateway;
  readonly bootstrap: readonly string[];
  /** Of `gw1.readings`. */
  readonly partitions: number;
  readonly acknowledged: readonly Reading[];
  /** Records may be there twice: what a consumer keeps that drops what it has seen is judged. */
  readonly mayDouble?: true;
  /** A device whose readings nobody acknowledges: some may be missing, but they rise. */
  readonly unanswered?: string;
}

/**
 * Both oracles over what a `read_committed` consumer sees: by the sensors' own list nothing is lost or out of order,
 * and each partition holds exactly the records of the local log. What is wrong, in words; empty if nothing.
 */
export async function judgeCentral(evidence: Evidence): Promise<string[]> {
  const { gateway, bootstrap, partitions, acknowledged, unanswered, mayDouble } = evidence;
  const consumed = await kafkaTools(bootstrap).consume('gw1.readings', { readCommitted: true });
  const central =
    mayDouble === undefined
      ? consumed
      : [...Map.groupBy(consumed, ({ partition }) => partition).values()].flatMap(withoutDoubles);
  const readings = central.map(({ value }) => String(value));
  const isUnanswered = (payload: string): boolean => readingOf(payload).device === unanswered;
  const wrong = judgeReadings(
    acknowledged,
    readings.filter((payload) => !isUnanswered(payload)),
    { isExact: isExactDevice },
  );
  if (unanswered !== undefined) wrong.push(...judgeRising(unanswered, readings.filter(isUnanswered)));
  for (let partition = 0; partition < partitions; partition++) {
    const there = central
      .filter((record) => record.partition === partition)
      .map(({ value }) => String(value));
    const here = await localValues(gateway, partition);
    const first = here.findIndex((value, index) => value !== there[index]);
    if (first >= 0)
      wrong.push(
        `partition ${partition} differs from offset ${first} on: ${there[first]} for ${here[first]}`,
      );
    if (there.length !== here.length)
      wrong.push(`partition ${partition} has ${there.length} records there and ${here.length} here`);
  }
  return wrong;
}

function judgeRising(device: string, payloads: readonly string[]): string[] {
  const sequences = payloads.map((payload) => readingOf(payload).sequence);
  const fall = sequences.findIndex((sequence, index) => sequence <= (sequences[index - 1] ?? -1));
  if (sequences.length === 0) return [`nothing of ${device} arrived`];
  return fall < 0 ? [] : [`${device} shows ${sequences[fall]} after ${sequences[fall - 1]}`];
}

/** The values of a partition of `readings` as the gateway serves them, in their order. */
export async function localValues(gateway: RunningGateway, partition: number): Promise<string[]> {
  const answer = await gateway.api(`/api/records?topic=readings&partition=${partition}&offset=0`);
  const lines = (await answer.text()).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { value: string }).value);
}
