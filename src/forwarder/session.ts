import { type LaneName, laneNames, type MirroredLog } from '../log/types.ts';
import type { LaneAssignment } from './lane-assignment.ts';
import { checkpointKeyPrefix, transactionalId } from './names.ts';
import type { Pause } from './objections.ts';
import type { SessionRequest, SessionTopic, TopicCreation } from './target.ts';
import type { TopicMapping } from './topic-mapping.ts';

export interface SessionOptions {
  readonly log: Pick<MirroredLog, 'topics'>;
  readonly assignment: Pick<LaneAssignment, 'identity' | 'isToInitialise' | 'laneOf'>;
  readonly mapping: TopicMapping;
  readonly creation?: TopicCreation | undefined;
}

/** What the next session of a lane is about: every topic of it that is mirrored and there, but not what is paused. */
export function nextSession(
  { log, assignment, mapping, creation = { allowed: true } }: SessionOptions,
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
      .map(({ name, partitions }) => sessionTopic(mapping, name, partitions, pauses))
      .filter((topic) => topic !== null),
    creation,
    checkpointTopic: mapping.checkpointTopic,
    checkpointKeyPrefixes: [logId, ...ancestors].map(checkpointKeyPrefix),
  };
}

function sessionTopic(
  mapping: TopicMapping,
  source: string,
  partitions: number,
  pauses: readonly Pause[],
): SessionTopic | null {
  const own = pauses.filter(({ topic }) => topic === source);
  if (own.some(({ partition }) => partition === null)) return null;
  const paused = new Set(own.map(({ partition }) => partition).filter((partition) => partition !== null));
  return { name: mapping.centralTopic(source), partitions, source, paused };
}
