import type { PartitionInfo } from '../../log/types.ts';
import { asideMemo, checkpointKey, copyMemo } from '../cluster/names.ts';
import type { Failure } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import { type Checkpoint, decodeCheckpoint } from './checkpoint.ts';
import type { Identity } from './identity.ts';
import { type MirrorMemory, unreadable } from './mirror-memory.ts';
import type { ResumedPartition, ResumeSources } from './resume.ts';

/**
 * What the cluster and the gateway say of one partition: `values` are those of the checkpoint topic by key. A value that
 * cannot be read is a failure, never a guess.
 */
export function sourcesOf(
  { topic, partition }: Pick<PartitionInfo, 'topic' | 'partition'>,
  values: ReadonlyMap<string, Uint8Array>,
  { logId, ancestors }: Identity,
  memory: MirrorMemory,
  mapping: TopicMapping,
): (ResumeSources & Pick<ResumedPartition, 'asides'>) | { readonly failure: Failure } {
  const said: (Checkpoint | null)[] = [];
  for (const id of [logId, ...ancestors]) {
    const key = checkpointKey(id, topic, partition);
    const value = values.get(key);
    const decoded = value === undefined ? null : decodeCheckpoint(value);
    if (decoded?.ok === false)
      return { failure: unreadableCheckpoint(mapping.checkpointTopic, key, decoded.reason) };
    said.push(decoded?.value ?? null);
  }
  const copy = memory.copyOf(topic, partition);
  if (!copy.ok) return { failure: unreadable(copyMemo(topic, partition), copy.reason) };
  const asides = memory.asidesOf(topic, partition);
  if (!asides.ok) return { failure: unreadable(asideMemo(topic, partition), asides.reason) };
  const [own = null, ...older] = said;
  const ofAncestors = older.filter((checkpoint) => checkpoint !== null);
  return { own, ancestors: ofAncestors, copy: copy.value, asides: asides.value };
}

const unreadableCheckpoint = (topic: string, key: string, reason: string): Failure => ({
  kind: 'refused',
  message:
    `the checkpoint of ${key} in topic ${topic} cannot be read: ${reason}. Nothing is sent, so that no reading is ` +
    'skipped or doubled. Run the release of this gateway that wrote it, or delete that record',
});
