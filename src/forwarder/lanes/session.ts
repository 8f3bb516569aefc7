import { type LaneName, laneNames, type MirroredLog, type TopicInfo } from '../../log/types.ts';
import { checkpointKeyPrefix, transactionalId } from '../cluster/names.ts';
import type { Delivery, SessionRequest, SessionTopic, TopicCreation } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import type { Pause } from '../mirror/objections.ts';
import type { LaneAssignment } from './lane-assignment.ts';

export interface SessionOptions {
  readonly log: Pick<MirroredLog, 'topics'>;
  readonly assignment: Pick<LaneAssignment, 'identity' | 'isToInitialise' | 'laneOf'>;
  readonly mapping: TopicMapping;
  readonly creation?: TopicCreation | undefined;
  readonly delivery?: Delivery | undefined;
}

/** What the next session of a lane is about: every topic of it that is mirrored and there, but not what is paused. */
export function nextSession(
  { log, assignment, mapping, creation = { allowed: true }, delivery }: SessionOptions,
  lane: LaneName,
  pauses: readonly Pause[],
): SessionRequest {
  const { logId, ancestors } = assignment.identity;
  const others = assignment.isToInitialise ? laneNames.filter((other) => other !== lane) : [];
  return {
    transactionalId: transactionalId(logId, lane),
    othersToEnd: others.map((other) => transactionalId(logId, other)),
    topics: log
      .topics()
      .filter(({ name }) => mapping.isMirrored(name) && assignment.laneOf(name) === lane)
      .map((topic) => sessionTopic(mapping, topic, pauses))
      .filter((topic) => topic !== null)
      .map((topic) => ({ ...topic, isIdentified: delivery === 'at-least-once' })),
    creation,
    checkpointTopic: mapping.checkpointTopic,
    checkpointKeyPrefixes: [logId, ...ancestors].map(checkpointKeyPrefix),
  };
}

function sessionTopic(
  mapping: TopicMapping,
  { name: source, partitions: sourcePartitions, settings: { centralPartitions } }: TopicInfo,
  pauses: readonly Pause[],
): Omit<SessionTopic, 'isIdentified'> | null {
  const own = pauses.filter(({ topic }) => topic === source);
  if (own.some(({ partition }) => partition === null)) return null;
  const paused = new Set(own.map(({ partition }) => partition).filter((partition) => partition !== null));
  const isByKey = centralPartitions !== undefined;
  const central = { name: mapping.centralTopic(source), partitions: centralPartitions ?? sourcePartitions };
  return { ...central, source, sourcePartitions, isByKey, paused };
}

/** Whether records of a topic are to go to other central partitions than the session has prepared. */
export function isLaidOutAnew(
  { topics: prepared }: Pick<SessionRequest, 'topics'>,
  topics: readonly TopicInfo[],
): boolean {
  const settings = new Map(topics.map((info) => [info.name, info.settings] as const));
  return prepared.some(({ source, isByKey, partitions }) => {
    const now = settings.get(source);
    return now !== undefined && now.centralPartitions !== (isByKey ? partitions : undefined);
  });
}
