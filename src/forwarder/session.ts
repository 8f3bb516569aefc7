import type { MirroredLog } from '../log/types.ts';
import type { Identity } from './identity.ts';
import { checkpointKeyPrefix, transactionalId } from './names.ts';
import type { Pause } from './objections.ts';
import type { SessionRequest, SessionTopic, TopicCreation } from './target.ts';
import type { TopicMapping } from './topic-mapping.ts';

export interface SessionOptions {
  readonly log: Pick<MirroredLog, 'topics'>;
  readonly mapping: TopicMapping;
  readonly creation?: TopicCreation | undefined;
}

/** What the next session is about: every topic that is mirrored and there, but not what is paused. */
export function nextSession(
  { log, mapping, creation = { allowed: true } }: SessionOptions,
  { logId, ancestors }: Identity,
  pauses: readonly Pause[],
): SessionRequest {
  return {
    transactionalId: transactionalId(logId, 'bulk'),
    topics: log
      .topics()
      .filter(({ name }) => mapping.isMirrored(name))
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
