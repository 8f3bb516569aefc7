import { OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { checkpointTopicName, type TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { PartitionInfo, TopicInfo, TopicSettings } from '../log/types.ts';
import type { TopicConfig } from './config/schema.ts';
import { type TopicStatus, topicStatuses } from './status.ts';
import {
  patched,
  type SettingsInForce,
  type SettingsPatch,
  settingsContradiction,
  settingsInForce,
} from './topic-settings.ts';
import { checkRoom, ensureTopics, type TopicStore, type TopicWriters, withOwnTopics } from './topics.ts';

/** What changes of topics ask of the log. */
export interface ChangeableTopics extends TopicStore {
  partitions(): readonly PartitionInfo[];
  deleteTopic(name: string): Promise<void>;
}

/** What `GET /api/topics/NAME` answers and `headwater topics describe` shows. */
export interface TopicDescription extends TopicStatus {
  /** Whether the configuration names it: then its settings are changed there. */
  readonly isConfigured: boolean;
  /** What of the gateway writes to it by itself, in words. */
  readonly writers: readonly string[];
  readonly settings: SettingsInForce;
}

export interface TopicChange {
  /** At least as many as it has. */
  readonly partitions?: number;
  readonly settings?: SettingsPatch;
}

export interface TopicChangesOptions {
  readonly log: ChangeableTopics;
  /** What topics are called in the cluster. */
  readonly mapping: TopicMapping;
  readonly configured: Readonly<Record<string, TopicConfig>>;
  readonly writers: TopicWriters;
}

/**
 * Changes of topics while the gateway runs, one after the other. The configuration wins for the topics that it
 * names, so that these are changed there; and what something writes to is not deleted under its feet.
 */
export class TopicChanges {
  #options: TopicChangesOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TopicChangesOptions) {
    this.#options = options;
  }

  /**
   * Another configuration counts from now on: its topics are made and set, and those that are written to. Nothing is changed if there is
   * no room for all of them.
   * @throws OperatingError `illegal-topic`, `too-many-partitions`, `log-unavailable`, and as the log's `createTopic`
   */
  async reconfigure(
    configured: Readonly<Record<string, TopicConfig>>,
    writers: TopicWriters,
    logger: Logger,
  ): Promise<void> {
    await this.#inTurn(async () => {
      const { log } = this.#options;
      for (const name of [...Object.keys(configured), ...writers.keys()]) this.#refuseIfUnsendable(name);
      checkRoom(log, configured, writers.keys());
      await ensureTopics(log, configured, writers.keys(), logger);
      this.#options = { ...this.#options, configured, writers: withOwnTopics(writers) };
    });
  }

  /** All topics with how far they reach, in the order in which they were created. */
  list(): readonly TopicStatus[] {
    return topicStatuses(this.#options.log.partitions());
  }

  /** @throws OperatingError `topic-configured`, `contradictory-settings`, `illegal-topic`, and as the log's `createTopic` */
  async create(name: string, partitions: number, patch: SettingsPatch): Promise<void> {
    await this.#inTurn(async () => {
      this.#refuseIfConfigured(name);
      this.#refuseIfUnsendable(name);
      await this.#options.log.createTopic(name, partitions, consistent(patched({}, patch)));
    });
  }

  /**
   * Changes what the change names, and nothing else.
   * @throws OperatingError `unknown-topic`, `topic-configured`, `contradictory-settings`, `illegal-partition` for
   *   fewer partitions than there are, and as the log's `growTopic` and `setTopic`
   */
  async change(name: string, { partitions, settings: patch }: TopicChange): Promise<void> {
    await this.#inTurn(async () => {
      const present = this.#topic(name);
      this.#refuseIfConfigured(name);
      const settings = consistent(patched(present.settings, patch ?? {}));
      if (partitions !== undefined && partitions < present.partitions)
        throw new OperatingError(
          'illegal-partition',
          `topic ${name} has ${present.partitions} partitions, and partitions only grow; to have fewer, use a new topic`,
        );
      if (partitions !== undefined) await this.#options.log.growTopic(name, partitions);
      if (patch !== undefined) await this.#options.log.setTopic(name, settings);
    });
  }

  /**
   * Deletes a topic with all its records.
   * @throws OperatingError `unknown-topic`, `topic-in-use`, `topic-configured`, and as the log's `deleteTopic`
   */
  async delete(name: string): Promise<void> {
    await this.#inTurn(async () => {
      this.#topic(name);
      this.#refuseIfWrittenTo(name);
      if (name in this.#options.configured)
        throw new OperatingError(
          'topic-configured',
          `the configuration names topic ${name}, so that it would be there again at the next start: take topics.${name} ` +
            'out of the configuration file and have it read again (headwater reload), or out of the --set options of "run", then delete it',
        );
      await this.#options.log.deleteTopic(name);
    });
  }

  /** @throws OperatingError `unknown-topic` */
  describe(name: string): TopicDescription {
    const { log, configured, writers } = this.#options;
    const { settings } = this.#topic(name);
    const isConfigured = name in configured;
    const ofTopic = log.partitions().filter(({ topic }) => topic === name);
    const [{ partitions } = { partitions: [] }] = topicStatuses(ofTopic);
    return {
      name,
      isConfigured,
      writers: writers.get(name) ?? [],
      settings: settingsInForce(settings, isConfigured),
      partitions,
    };
  }

  /** A change reads what it changes, so that two at once could undo each other. */
  async #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  #topic(name: string): TopicInfo {
    const topics = this.#options.log.topics();
    const found = topics.find((topic) => topic.name === name);
    if (found !== undefined) return found;
    const names = topics.map((topic) => topic.name).join(', ');
    throw new OperatingError('unknown-topic', `there is no topic ${name}; there are: ${names || 'none yet'}`);
  }

  #refuseIfConfigured(name: string): void {
    if (!(name in this.#options.configured)) return;
    throw new OperatingError(
      'topic-configured',
      `the configuration names topic ${name}, so that its settings are changed there: edit topics.${name} in the ` +
        'configuration file (or the --set options of "run"), then: headwater reload',
    );
  }

  /** The cluster would refuse such a topic, and with it whatever else is sent. */
  #refuseIfUnsendable(name: string): void {
    if (name === checkpointTopicName)
      throw new OperatingError(
        'illegal-topic',
        `choose another topic name; Headwater keeps ${name} for itself`,
      );
    const central = this.#options.mapping.centralTopic(name);
    if (central.length > limits.topicNameLengthMax)
      throw new OperatingError(
        'illegal-topic',
        `choose a shorter topic name: ${central}, as it would be called in the cluster, is longer than ` +
          `${limits.topicNameLengthMax} characters`,
      );
  }

  #refuseIfWrittenTo(name: string): void {
    const { writers, configured } = this.#options;
    const ofTopic = writers.get(name);
    if (ofTopic === undefined) return;
    const how =
      name in configured
        ? `in the configuration, such as topics.${name}.retention.age: 1h`
        : `such as: headwater topics set ${name} --retention-age 1h`;
    throw new OperatingError(
      'topic-in-use',
      `${inWords(ofTopic)} would have nowhere to write to: topic ${name} cannot be deleted. To let its records go, ` +
        `give it a short retention ${how}`,
    );
  }
}

const inWords = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and ');

function consistent(settings: TopicSettings): TopicSettings {
  const contradiction = settingsContradiction(settings);
  if (contradiction === undefined) return settings;
  throw new OperatingError('contradictory-settings', contradiction);
}
