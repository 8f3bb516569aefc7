import { isDeepStrictEqual } from 'node:util';
import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { clockTopicName, gapsTopicName, isLegalTopicName } from '../../core/topic-name.ts';
import { type Entry, type TopicSetting, topicDeletionEntry, topicSettingEntry } from '../state/entries.ts';
import type { LogState } from '../state/state.ts';
import type { TopicSettings } from '../types.ts';

const toldByLog: ReadonlySet<string> = new Set([gapsTopicName, clockTopicName]);

/** What a caller wants of a topic. */
export type TopicRequest =
  /** To be there, with so many partitions; `grow`: one that is there gets more, otherwise that is refused. */
  | {
      readonly kind: 'topic';
      readonly name: string;
      readonly partitions: number;
      readonly grow: boolean;
      readonly settings: TopicSettings;
    }
  | { readonly kind: 'topic-settings'; readonly name: string; readonly settings: TopicSettings }
  | { readonly kind: 'topic-deletion'; readonly name: string };

/** What becomes of the topics in one commit: what its requests have changed so far counts for those after them. */
export class TopicPlan {
  readonly #state: LogState;
  /** As they will be; undefined for one that is deleted. */
  readonly #changed = new Map<string, TopicSetting | undefined>();
  /** The same by number. */
  readonly #isThere = new Map<number, boolean>();
  readonly entries: Entry[] = [];
  #newTopics = 0;

  constructor(state: LogState) {
    this.#state = state;
  }

  /** Returns why not, if the request is refused. */
  take(request: TopicRequest): OperatingError | undefined {
    if (request.kind === 'topic') return this.#create(request);
    if (request.kind === 'topic-settings') return this.#set(request);
    return this.#delete(request.name);
  }

  /** Whether the topic of this number is deleted, now or by this commit. */
  isDeleted(topicNumber: number): boolean {
    return !(this.#isThere.get(topicNumber) ?? this.#state.topicByNumber(topicNumber) !== undefined);
  }

  #create({
    name,
    partitions,
    grow,
    settings,
  }: Extract<TopicRequest, { readonly kind: 'topic' }>): OperatingError | undefined {
    const known = this.#topic(name);
    if (known !== undefined && !grow)
      return new OperatingError('topic-exists', `topic ${name} exists already; choose another name`);
    if (known !== undefined && partitions <= known.partitions) return undefined;
    const counts = new Map(this.#state.topics().map((topic) => [topic.name, topic.partitions]));
    for (const [changed, topic] of this.#changed) counts.set(changed, topic?.partitions ?? 0);
    // What the log itself tells must be told whatever there is: the first partition of such a topic always finds room.
    if (toldByLog.has(name) && partitions === 1) counts.clear();
    const total = counts
      .set(name, partitions)
      .values()
      .reduce((sum, count) => sum + count, 0);
    if (total > limits.partitionsMax)
      return new OperatingError(
        'too-many-partitions',
        `${name} would bring the gateway to ${total} partitions, above its limit of ${limits.partitionsMax}; ` +
          'use fewer partitions',
      );
    this.#enter({
      topicNumber: known?.topicNumber ?? this.#state.topicNumber(name) ?? this.#nextNumber(),
      name,
      partitions,
      settings: known?.settings ?? settings,
    });
    return undefined;
  }

  #set({
    name,
    settings,
  }: Extract<TopicRequest, { readonly kind: 'topic-settings' }>): OperatingError | undefined {
    const known = this.#topic(name);
    if (known === undefined) return unknown(name);
    if (!isDeepStrictEqual(known.settings, settings)) this.#enter({ ...known, settings });
    return undefined;
  }

  #delete(name: string): OperatingError | undefined {
    const known = this.#topic(name);
    if (known === undefined) return unknown(name);
    const deletedNow = [...this.#changed.values()].filter((topic) => topic === undefined).length;
    if (this.#state.deletedTopics + deletedNow >= limits.deletedTopicsMax)
      return new OperatingError(
        'too-many-deleted-topics',
        `${limits.deletedTopicsMax} deleted topics are remembered, so that no offset is ever used twice, and that is the ` +
          'limit; create one of them again instead of a topic with a new name',
      );
    this.#changed.set(name, undefined);
    this.#isThere.set(known.topicNumber, false);
    this.entries.push(topicDeletionEntry(known.topicNumber));
    return undefined;
  }

  #topic(name: string): TopicSetting | undefined {
    return this.#changed.has(name) ? this.#changed.get(name) : this.#state.topic(name);
  }

  #nextNumber(): number {
    this.#newTopics += 1;
    return this.#state.nextTopicNumber() + this.#newTopics - 1;
  }

  #enter(setting: TopicSetting): void {
    this.#changed.set(setting.name, setting);
    this.#isThere.set(setting.topicNumber, true);
    this.entries.push(topicSettingEntry(setting));
  }
}

const unknown = (name: string): OperatingError =>
  new OperatingError('unknown-topic', `there is no topic ${name}`);

/** @throws OperatingError `illegal-topic`, `illegal-partition` if no topic can have this name or number of partitions */
export function checkTopic(name: string, partitions: number): void {
  if (!isLegalTopicName(name)) {
    const rule = `1 to ${limits.topicNameLengthMax} of a-z A-Z 0-9 . _ -`;
    throw new OperatingError('illegal-topic', `${JSON.stringify(name)} is no topic name; use ${rule}`);
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > limits.partitionsPerTopicMax) {
    const rule = `a whole number from 1 to ${limits.partitionsPerTopicMax}`;
    throw new OperatingError('illegal-partition', `${partitions} is no number of partitions; use ${rule}`);
  }
}
