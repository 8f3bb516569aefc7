import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Random } from '../../core/random.ts';
import type { MirroredLog } from '../../log/types.ts';
import type { Delivery, TopicCreation } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import type { MirrorMemory } from '../mirror/mirror-memory.ts';
import type { OnCheckpointLost } from '../mirror/resume.ts';
import type { LaneAssignment } from './lane-assignment.ts';
import type { LinkPlan, MeteredLink } from './link-plan.ts';

/** What is wanted of the mirror, in either lane. */
export interface MirrorOptions {
  readonly log: MirroredLog;
  /** Which topics are sent, and what they are called there. */
  readonly mapping: TopicMapping;
  /** How missing topics are made there; by default as the cluster does it. */
  readonly creation?: TopicCreation | undefined;
  /** How long the first new record waits for others, milliseconds. */
  readonly lingerMs: number;
  /** How long records at most wait for the clock to be set after the machine was started, milliseconds; by default not at all. */
  readonly waitForClockMs?: number | undefined;
  /** How many bytes of records may leave a second on the average, both lanes together; without it as many as the link takes. */
  readonly bytesPerSecond?: number | undefined;
  /** What the link may be used for, and when; without it for anything at any time. */
  readonly meteredLink?: MeteredLink | undefined;
  /** By default exactly once, for which the cluster must have transactions. */
  readonly delivery?: Delivery | undefined;
  /** What to do when the cluster no longer knows what it had confirmed. */
  readonly onCheckpointLost: OnCheckpointLost;
  /** How much one transaction takes at most; less than the default in tests only. */
  readonly transactionBytesMax?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface LaneOptions extends MirrorOptions {
  readonly memory: MirrorMemory;
  readonly assignment: LaneAssignment;
  readonly plan: LinkPlan;
}
