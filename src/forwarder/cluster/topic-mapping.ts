import { gapsTopicName, topicChooser } from '../../core/topic-name.ts';

/** The local name of the checkpoint topic: a log topic called so is not mirrored, because it would collide. */
export const checkpointTopicName = 'headwater-checkpoint';

/** How topics are called in the cluster unless somebody wants it otherwise. */
export const defaultTopicTemplate = '{gateway}.{topic}';

/** What a template may contain besides the text that stays as it is. */
export const templateWords = ['{gateway}', '{site}', '{topic}'] as const;

export interface MappingOptions {
  readonly gateway: string;
  /** Empty if the configuration names none. */
  readonly site?: string | undefined;
  /** With `{topic}` in it, and perhaps `{gateway}` and `{site}`. */
  readonly template?: string | undefined;
  /** Names, in which a `*` stands for any characters; with `!` before them they are left out. Empty if there is no cluster. */
  readonly topics: readonly string[];
}

/** Which topics of the log are mirrored, and what they are called in the cluster. */
export class TopicMapping {
  /**
   * The compacted topic of one partition that says what has arrived. It does not follow the template: where the mirror stands
   * does not depend on what topics are called.
   */
  readonly checkpointTopic: string;
  readonly #before: string;
  readonly #after: string;
  readonly #mirrorsSome: boolean;
  readonly #isWanted: (topic: string) => boolean;

  constructor({ gateway, site = '', template = defaultTopicTemplate, topics }: MappingOptions) {
    this.checkpointTopic = `${gateway}.${checkpointTopicName}`;
    const [before = '', after = ''] = template
      .split('{topic}')
      .map((text) => text.replaceAll('{gateway}', gateway).replaceAll('{site}', site));
    this.#before = before;
    this.#after = after;
    this.#mirrorsSome = topics.some((one) => !one.startsWith('!'));
    this.#isWanted = topicChooser(topics);
  }

  /** The central topic of a topic of the log. */
  centralTopic(topic: string): string {
    return `${this.#before}${topic}${this.#after}`;
  }

  /** Whether a topic of the cluster may be one of ours, by its name. */
  isCentral(name: string): boolean {
    const isLonger = name.length > this.#before.length + this.#after.length;
    const fits = isLonger && name.startsWith(this.#before) && name.endsWith(this.#after);
    return fits || name === this.checkpointTopic;
  }

  /**
   * Whether a topic of the log is mirrored. The loss ledger always is when anything is, because checkpoints pass what it
   * tells.
   */
  isMirrored(topic: string): boolean {
    if (topic === checkpointTopicName || this.centralTopic(topic) === this.checkpointTopic) return false;
    if (!this.#mirrorsSome) return false;
    if (topic === gapsTopicName) return true;
    return this.#isWanted(topic);
  }
}
