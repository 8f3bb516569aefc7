import type { LogEnvironment } from '../journal/journal-files.ts';
import { tellForgotten } from '../state/qos2-ids.ts';
import type { CommitPlan } from './commit-plan.ts';

/** Tells metrics and service log of a commit that is durable; `openQos2Ids` is how many there are from then on. */
export function reportCommit(env: LogEnvironment, plan: CommitPlan, openQos2Ids: number): void {
  if (plan.beginsEpoch) env.metrics.add('headwater_clock_epochs_total', 1);
  env.metrics.add('headwater_payload_bytes_total', plan.payloadBytes);
  env.metrics.set('headwater_qos2_open_ids', openQos2Ids);
  tellForgotten(env, plan.forgottenQos2Clients);
}
