import { type LaneName, laneNames } from '../log/types.ts';
import type { Delivery, Target } from './cluster/target.ts';
import { AtLeastOnceTarget } from './kafka/at-least-once-target.ts';
import { openAccess, type ReadAccess } from './kafka/cluster-access.ts';
import { KafkaTarget } from './kafka/kafka-target.ts';
import { SharedLink } from './kafka/link-share.ts';
import { Lane } from './lanes/lane.ts';
import { LaneAssignment } from './lanes/lane-assignment.ts';
import type { MirrorOptions } from './lanes/lane-options.ts';
import { LinkPlan, type MeteredLink } from './lanes/link-plan.ts';
import type { MirrorStanding } from './mirror/mirror-forwarding.ts';
import { MirrorMemory } from './mirror/mirror-memory.ts';
import { combinedStatus } from './progress/combined-status.ts';
import type { ForwarderStatus } from './progress/status.ts';

export interface ForwarderOptions extends MirrorOptions {
  /** `host:port` of some brokers of the cluster; the others are found through them. */
  readonly brokers: readonly string[];
  /** TLS and login; without it, neither. */
  readonly readAccess?: ReadAccess;
  /** The serial number of the board, or null: on another board, the folder must not pass for itself. */
  readonly board: string | null;
  /** The cluster, as a lane reaches it; default is the Kafka behind `brokers`. */
  readonly targetOf?: (lane: LaneName) => Target;
}

/** What the link may be used for; what is left out is not bounded. */
export type LinkSettings = Pick<MirrorOptions, 'bytesPerSecond'> & Pick<MeteredLink, 'bytesPerDay' | 'hours'>;

/**
 * Carries every record of the log to central Kafka, exactly once and in partition order (design §6): by two lanes, so that
 * an alarm never waits behind a backlog. Each is a mirror of its own, with its transactional id, its connections, its topics.
 */
export class Forwarder implements MirrorStanding {
  readonly #assignment: LaneAssignment;
  readonly #lanes: readonly Lane[];
  readonly #delivery: Delivery;
  readonly #plan: LinkPlan;
  readonly #link: SharedLink;

  constructor(options: ForwarderOptions) {
    const { brokers, readAccess = openAccess, clock, bytesPerSecond, delivery = 'exactly-once' } = options;
    const link = new SharedLink(clock, bytesPerSecond ?? null);
    this.#link = link;
    const advise = onceOnly((advice) => options.logger.warn({}, advice));
    const kafka = (lane: LaneName): Target => {
      const target = new KafkaTarget({ brokers, readAccess, clock, advise, share: link.shareOf(lane) });
      return delivery === 'at-least-once' ? new AtLeastOnceTarget(target, clock) : target;
    };
    const { log, board, targetOf = kafka } = options;
    const memory = new MirrorMemory(log, board);
    const assignment = new LaneAssignment({ ...options, memory });
    const plan = new LinkPlan({ ...options, memory });
    this.#plan = plan;
    this.#assignment = assignment;
    this.#delivery = delivery;
    this.#lanes = laneNames.map(
      (name) =>
        new Lane(
          name,
          { ...options, logger: options.logger.child({ lane: name }), memory, assignment, plan },
          targetOf(name),
        ),
    );
  }

  /** Starts; to be called once. Whatever the cluster does is told by {@link status}, never thrown. */
  start(): void {
    for (const lane of this.#lanes) lane.start();
  }

  /** Finishes or aborts the transactions in hand, within a bound, and resolves when all is closed. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  /** What the link may be used for is this from now on. */
  useLink({ bytesPerSecond, ...rules }: LinkSettings): void {
    this.#link.limitTo(bytesPerSecond ?? null);
    this.#plan.useRules(rules);
    for (const lane of this.#lanes) lane.linkChanged(bytesPerSecond);
  }

  status(): ForwarderStatus {
    const { warning } = this.#assignment;
    const lanes = this.#lanes.map((lane) => ({
      lane: lane.name,
      isInUse: lane.isInUse,
      status: lane.status(),
    }));
    const link = this.#plan.status();
    return { delivery: this.#delivery, link, ...combinedStatus(lanes, warning === null ? [] : [warning]) };
  }

  standing(topic: string, partition: number): ReturnType<MirrorStanding['standing']> {
    const informed = this.#assignment.informedOf(topic);
    return this.#lanes.find(({ name }) => name === informed)?.standing(topic, partition) ?? null;
  }
}

/** Passes on what is not the same as before: both lanes find it, at each session. */
function onceOnly(tell: (text: string) => void): (text: string) => void {
  let told = '';
  return (text) => {
    if (text !== told) tell(text);
    told = text;
  };
}
