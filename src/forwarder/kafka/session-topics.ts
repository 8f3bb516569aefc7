import { assert } from '../../core/errors.ts';
import type { Failure, Objection, SessionRequest, SessionTopic, TopicCreation } from '../cluster/target.ts';
import { sourcePartitions } from '../flush/central-partitions.ts';
import type { BrokerPool } from './broker-pool.ts';
import type { CheckpointLog } from './checkpoint-reader.ts';
import { checkpointTopicFault, checkpointTopicSettings, creationOf } from './checkpoint-topic.ts';
import type { BrokerAddress, ClusterMetadata } from './kafka-answers.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { attempt, check, Refusal } from './refusal.ts';
import { sequenceKey as keyOf } from './sequences.ts';

const topicAlreadyExists = 36;
const unknownTopic = 3;

/** Without a source it is that of the checkpoints. */
type WantedTopic = Omit<SessionTopic, 'source' | 'isIdentified'> & { readonly source: string | null };

/** The topics of a session in the cluster: made if they are missing, and which broker leads each of their partitions. */
export class SessionTopics {
  readonly #pool: BrokerPool;
  readonly #advise: (advice: string) => void;
  #nodes = new Map<number, BrokerAddress>();
  #leaders = new Map<string, number>();
  #clusterId = '';
  #checkpointLog: CheckpointLog | null = null;

  /** `advise` is told what should be changed in the cluster, though it works as it is; at each session anew. */
  constructor(pool: BrokerPool, advise: (advice: string) => void) {
    this.#pool = pool;
    this.#advise = advise;
  }

  /** The name that the cluster has given itself. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** What the checkpoints are read from. */
  get checkpointLog(): CheckpointLog {
    assert(this.#checkpointLog !== null, 'the session has prepared its topics');
    return this.#checkpointLog;
  }

  /** The broker that leads a partition of a central topic; undefined if the cluster did not say. */
  leaderOf(of: { readonly topic: string; readonly partition: number }): number | undefined {
    return this.#leaders.get(keyOf(of));
  }

  /** A connection to that broker; to any if the cluster did not say. @throws LinkError */
  toLeader(of: { readonly topic: string; readonly partition: number } | undefined): Promise<KafkaConnection> {
    const leader = of === undefined ? undefined : this.leaderOf(of);
    return this.#pool.toNamed(leader === undefined ? undefined : this.#nodes.get(leader));
  }

  /** Makes and examines them. Topics that are refused keep none of the others from that. @throws Refusal, LinkError */
  async prepare(session: SessionRequest): Promise<void> {
    const checkpoints = {
      name: session.checkpointTopic,
      partitions: 1,
      source: null,
      sourcePartitions: 1,
      isByKey: false,
      paused: new Set<number>(),
    };
    const wanted = [checkpoints, ...session.topics];
    const bootstrap = await this.#pool.any();
    const metadata = await bootstrap.metadata(wanted.map(({ name }) => name));
    this.#nodes = new Map(metadata.nodes.map(({ id, address }) => [id, address]));
    this.#leaders = new Map();
    this.#clusterId = metadata.clusterId;
    let changed = false;
    const refused: Failure[] = [];
    for (const topic of wanted) {
      const failure = await attempt(async () => {
        if (await this.#prepareTopic(topic, metadata, session.creation)) changed = true;
      });
      if (failure === null) continue;
      const { source } = topic;
      const isHeld = source === null || isAboutBroker(failure);
      if (isHeld || (failure.kind === 'busy' && failure.objections === undefined)) throw new Refusal(failure);
      const { message } = failure;
      refused.push({ objections: [{ topic: source, partition: null, message }], ...failure });
    }
    const first = refused.find(({ kind }) => kind !== 'busy') ?? refused[0];
    if (first !== undefined) {
      const objections = refused.flatMap((failure) => failure.objections ?? []);
      throw new Refusal({ ...first, objections });
    }
    if (changed) throw new Refusal({ kind: 'busy', message: 'the cluster is creating topics' });
    await this.#verifySettings(session.checkpointTopic);
  }

  /** Returns whether the cluster was asked to change something. */
  async #prepareTopic(
    topic: WantedTopic,
    metadata: ClusterMetadata,
    creation: TopicCreation,
  ): Promise<boolean> {
    const { name, partitions } = topic;
    const found = metadata.topics.find((one) => one.name === name);
    const controller = this.#nodes.get(metadata.controllerId);
    if (found === undefined || found.code === unknownTopic) {
      if (!creation.allowed) throw new Refusal(missing(name, partitions, topic.source === null));
      const { replication, retention } = creation;
      const kept: Record<string, string> = retention === undefined ? {} : { 'retention.ms': `${retention}` };
      const settings = topic.source === null ? checkpointTopicSettings : kept;
      const connection = await this.#pool.toNamed(controller);
      const made = await connection.createTopic(name, partitions, settings, { replication });
      if (made.code !== topicAlreadyExists) check('create-topic', made.code, detailed(name, made.detail));
      return true;
    }
    check('metadata', found.code, name);
    const isToGrow = found.partitions.length < partitions;
    if (isToGrow && !creation.allowed) throw new Refusal(tooFew(topic, found.partitions.length));
    if (isToGrow) {
      const grown = await (await this.#pool.toNamed(controller)).growTopic(name, partitions);
      check('grow-topic', grown.code, detailed(name, grown.detail));
    }
    this.#learnLeaders(found, topic);
    return isToGrow;
  }

  #learnLeaders({ name, id, partitions }: ClusterMetadata['topics'][number], topic: WantedTopic): void {
    const objections: Objection[] = [];
    const said = { verdict: 'unwell' as const, cause: 'LEADER_NOT_AVAILABLE', batch: null };
    for (const { partition, leaderId, leaderEpoch } of partitions) {
      if (topic.source === null)
        this.#checkpointLog = { topic: name, clusterId: this.#clusterId, topicId: id, leaderEpoch };
      if (leaderId >= 0) this.#leaders.set(keyOf({ topic: name, partition }), leaderId);
      else {
        const message = `${name}-${partition} has no leader at present: wait for brokers of the cluster to come back`;
        if (topic.source === null) throw new Refusal({ kind: 'busy', message });
        for (const source of sourcePartitions(topic, partition))
          if (!topic.paused.has(source))
            objections.push({ topic: topic.source, partition: source, message, ...said });
      }
    }
    const [first] = objections;
    if (first !== undefined) throw new Refusal({ kind: 'busy', message: first.message, objections });
  }

  /** With any policy but compaction the checkpoints would vanish some day, and everything would be sent again. */
  async #verifySettings(topic: string): Promise<void> {
    const connection = await this.toLeader({ topic, partition: 0 });
    const { code, settings } = await connection.topicSettings(topic, Object.keys(checkpointTopicSettings));
    // Without the permission to look, the settings of whoever made the topic have to be trusted.
    const fault = code === 0 ? checkpointTopicFault(topic, settings) : null;
    if (fault?.kind === 'forgets') throw new Refusal({ kind: 'refused', message: fault.text });
    if (fault !== null) this.#advise(fault.text);
  }
}

const missing = (name: string, partitions: number, isCheckpoint: boolean): Failure => {
  const plain = `kafka-topics.sh --create --topic ${name} --partitions ${partitions}`;
  const command = isCheckpoint ? creationOf(name) : plain;
  return {
    kind: 'refused',
    message: `the cluster has no topic ${name}, and forwarder.create.allowed is false. Create it: ${command}`,
  };
};

const tooFew = ({ name, partitions, isByKey }: WantedTopic, found: number): Failure => ({
  kind: 'refused',
  message:
    `topic ${name} has ${found} partitions in the cluster and ${partitions} ` +
    `${isByKey ? 'by its centralPartitions' : 'here'}, and forwarder.create.allowed is false. Give it more: kafka-topics.sh --alter --topic ${name} --partitions ${partitions}`,
});

const detailed = (name: string, detail: string | null): string =>
  detail === null ? name : `${name} (${detail})`;

/** Whether it says nothing against the topic that was asked about. */
const isAboutBroker = ({ kind }: Failure): boolean => kind === 'unreachable' || kind === 'unauthenticated';
