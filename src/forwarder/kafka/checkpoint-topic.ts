/*
 * The settings of the checkpoint topic. A session begins by reading all of it, so what is superseded must go soon, or that takes
 * long on a slow link. DESIGN.md tells how large it gets with them, and why they are safe for who reads it.
 */

/** What decides whether the cluster keeps the newest checkpoints. */
const policy = { name: 'cleanup.policy', value: 'compact' } as const;

/** What decides how large the topic gets: with more than this of any of them, it grows larger. */
const bounds: Readonly<Record<string, string>> = {
  // The newest segment is never compacted: it ends after five minutes, or at the smallest size that Kafka 4 allows.
  'segment.ms': '300000',
  'segment.bytes': '1048576',
  'min.cleanable.dirty.ratio': '0.1',
  // Markers of transactions stay so long after what they belong to is gone; a day by default.
  'delete.retention.ms': '60000',
};

/** With what the topic is created. */
export const checkpointTopicSettings: Readonly<Record<string, string>> = {
  [policy.name]: policy.value,
  ...bounds,
};

/** The same as `name=value`. */
export const settingsText = (between: string): string =>
  Object.entries(checkpointTopicSettings)
    .map(([name, value]) => `${name}=${value}`)
    .join(between);

/** Kafka's command that creates it with them. */
export const creationOf = (topic: string): string =>
  `kafka-topics.sh --create --topic ${topic} --partitions 1 --config ${settingsText(' --config ')}`;

/** Kafka's command that gives them to a topic that is there. */
const correctionOf = (topic: string): string =>
  `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${settingsText(',')}`;

/**
 * What is to be said of a checkpoint topic that has these settings; of one that is not told, nothing. It `forgets` what has
 * arrived, or only `grows` large. The text says what to do.
 */
export function checkpointTopicFault(
  topic: string,
  found: ReadonlyMap<string, string>,
): { readonly kind: 'forgets' | 'grows'; readonly text: string } | null {
  const cleanup = found.get(policy.name) ?? policy.value;
  if (cleanup !== policy.value) {
    const why = `has ${policy.name}=${cleanup}, so the cluster would forget what has arrived`;
    return { kind: 'forgets', text: `topic ${topic} ${why}. Set it: ${correctionOf(topic)}` };
  }
  const above = Object.entries(bounds).filter(([name, bound]) => Number(found.get(name)) > Number(bound));
  if (above.length === 0) return null;
  const named = above.map(([name, bound]) => `${name}=${found.get(name)} instead of ${bound}`).join(', ');
  const why = `grows large with ${named}, and each session begins by reading all of it, which takes long on a slow link`;
  return { kind: 'grows', text: `topic ${topic} ${why}. Set it: ${correctionOf(topic)}` };
}
