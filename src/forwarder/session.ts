import type { MirroredLog } from '../log/types.ts';
import type { Identity } from './identity.ts';
import {
  centralTopic,
  checkpointKeyPrefix,
  checkpointTopic,
  isMirroredTopic,
  transactionalId,
} from './names.ts';
import type { Pause } from './objections.ts';
import type { SessionRequest, SessionTopic } from './target.ts';

export interface SessionOptions {
  readonly log: Pick<MirroredLog, 'topics'>;
  readonly gateway: string;
  /** Names of log topics, or `*` for all. */
  readonly topics: readonly string[];
}

/** What the next session is about: every topic that is mirrored and there, but not what is paused. */
export function nextSession(
  { log, gateway, topics }: SessionOptions,
  { logId, ancestors }: Identity,
  pauses: readonly Pause[],
): SessionRequest {
  return {
    transactionalId: transactionalId(logId, 'bulk'),
    topics: log
      .topics()
      .filter(({ name }) => isMirroredTopic(name, topics))
      .map(({ name, partitions }) => sessionTopic(gateway, name, partitions, pauses))
      .filter((topic) => topic !== null),
    checkpointTopic: checkpointTopic(gateway),
    checkpointKeyPrefixes: [logId, ...ancestors].map(checkpointKeyPrefix),
  };
}

function sessionTopic(
  gateway: string,
  source: string,
  partitions: number,
  pauses: readonly Pause[],
): SessionTopic | null {
  const own = pauses.filter(({ topic }) => topic === source);
  if (own.some(({ partition }) => partition === null)) return null;
  const paused = new Set(own.map(({ partition }) => partition).filter((partition) => partition !== null));
  return { name: centralTopic(gateway, source), partitions, source, paused };
}
