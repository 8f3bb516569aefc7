import { drained } from '../kafka/oracles.ts';
import { type Fault, type PlanOptions, planFaults } from './fault-plan.ts';
import { GatewaySite, type GatewaySiteOptions, Stalled } from './gateway-site.ts';
import type { KafkaSite } from './kafka-site.ts';
import { strike } from './strikes.ts';
import { judge, type Verdict } from './verdict.ts';

/** The mirror is back in its stride. */
const CAUGHT_UP_LAG_RECORDS = 2_000;

export interface FaultRunOptions
  extends PlanOptions,
    Pick<GatewaySiteOptions, 'name' | 'plant' | 'stallMsMax'> {
  readonly onStrike: (fault: Fault, number: number) => void;
}

export interface FaultRun {
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
  readonly acknowledged: number;
  /** What kept the run from its end; null if nothing did. */
  readonly stalled: string | null;
}

/** A gateway with its sensors through all faults of a plan, and what both oracles say in the end. */
export async function runFaults(kafka: KafkaSite, options: FaultRunOptions): Promise<FaultRun> {
  const faults = planFaults(options);
  await using site = await GatewaySite.start({ kafka, ...options });
  const done = { faults, acknowledged: 0, stalled: null };
  try {
    await playAll(site, faults, options);
    await site.sent();
    await drained(site.gateway);
  } catch (error) {
    if (!(error instanceof Stalled)) throw error;
    const verdict = { lost: 0, doubled: 0, reordered: 0, wrong: [] };
    return { ...done, verdict, acknowledged: site.fleet.acknowledged.length, stalled: error.message };
  }
  return { ...done, verdict: await judge(site), acknowledged: site.fleet.acknowledged.length };
}

async function playAll(
  site: GatewaySite,
  faults: readonly Fault[],
  { onStrike, readings }: FaultRunOptions,
): Promise<void> {
  for (const [index, fault] of faults.entries()) {
    // Until the next one strikes the sensors wait, so that the plan also says how much is sent in between.
    site.fleet.allow(fault.end);
    await site.acknowledged(fault.at);
    if (fault.kind === 'broker-kill' || fault.kind === 'broker-stop')
      await site.kafka.inSync([site.topic, site.checkpointTopic, '__transaction_state']);
    onStrike(fault, index + 1);
    await strike(site, fault);
    site.fleet.allow(faults[index + 1]?.at ?? readings);
    if (fault.isAwaited) await site.caughtUp(CAUGHT_UP_LAG_RECORDS);
  }
}
