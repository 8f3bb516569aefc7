import { kafkaFailure } from './kafka-failure.ts';

/** What we may do with a topic, as the cluster tells it. */
export interface TopicPermissions {
  readonly name: string;
  readonly isCheckpoint: boolean;
  /** Kafka's error code for the question about the topic; 0 if it is there and may be seen. */
  readonly code: number;
  /** Bit n is set for Kafka's operation n. */
  readonly operations: number;
  /** Of a topic that is not there: the code with which the cluster would create it. */
  readonly createCode: number;
}

const unknownTopic = 3;
const topicAlreadyExists = 36;
/** Kafka's numbers of operations. */
const operations = { Read: 3, Write: 4 } as const;

/** What keeps the mirror from a topic, each with what to do; none if it may do all that it must. Pure. */
export function permissionProblems(topic: TopicPermissions): readonly string[] {
  const { name, isCheckpoint, code, createCode } = topic;
  if (code === unknownTopic) {
    const mayCreate = createCode === 0 || createCode === topicAlreadyExists;
    return mayCreate ? [] : [kafkaFailure('create-topic', createCode, name).message];
  }
  if (code !== 0) return [kafkaFailure('metadata', code, name).message];
  const needed = isCheckpoint ? (['Write', 'Read'] as const) : (['Write'] as const);
  return needed
    .filter((operation) => (topic.operations & (1 << operations[operation])) === 0)
    .map(
      (operation) =>
        `the cluster does not allow to ${operation.toLowerCase()} topic ${name}: grant ${operation} on it`,
    );
}
