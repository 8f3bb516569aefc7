import type { Clock, ClockReading } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import { clockTopicName } from '../../core/topic-name.ts';
import type { UpkeepPlan } from '../commits/commit-plan.ts';
import type { LogState } from '../state/state.ts';
import { clockEpochEntry } from './clock-entry.ts';
import { type ClockEpoch, nextEpoch } from './clock-epoch.ts';
import { clockRecord } from './clock-record.ts';
import type { Stamping } from './stamping.ts';

/** What is asked of the log for it. */
export interface ToldLog {
  readonly journal: { readonly state: LogState; readonly lifeId: string };
  /** Commits what `plan` says of the state just before that commit. Rejects if the log cannot. */
  commit(plan: (state: LogState, stamping: Stamping) => UpkeepPlan, bytes: number): Promise<void>;
  growTopic(name: string, partitions: number): Promise<void>;
}

/**
 * Tells of each clock epoch once, in the topic `clock`; also of one that begins without a record to be stamped, because
 * the records before it are to be corrected all the same. Rejects if the log cannot commit.
 */
export async function tellClock(log: ToldLog, clock: Clock, readClock: () => ClockReading): Promise<void> {
  const { state, lifeId } = log.journal;
  const isNews = nextEpoch(state.clockEpochs.current, readClock()) !== null;
  const untold = untoldIn(state).length;
  if (!isNews && untold === 0) return;
  // With this commit, or the next one, the news becomes an epoch.
  if (state.topic(clockTopicName) === undefined) await log.growTopic(clockTopicName, 1);
  const plan = (now: LogState, { begun }: Stamping): UpkeepPlan => {
    const fresh = begun === null ? [] : [begun];
    const epochs = [...untoldIn(now), ...fresh];
    const known = [...now.clockEpochs.all(), ...fresh];
    return {
      entries: epochs.map((epoch) => clockEpochEntry({ ...epoch, isTold: true, starts: [] })),
      records: epochs.map((epoch) => clockRecord(epoch, known, lifeId, clock.monotonicMs())),
    };
  };
  await log.commit(plan, (limits.clockEpochsToldMax + 1) * limits.clockRecordBytesMax);
}

const untoldIn = ({ clockEpochs }: LogState): readonly ClockEpoch[] =>
  clockEpochs
    .all()
    .filter(({ isTold }) => !isTold)
    .slice(0, limits.clockEpochsToldMax);
