import { limits } from '../../core/limits.ts';

/** Patterns of topics that somebody may publish to and subscribe to; where there is no list, everywhere. */
export interface AccessLists {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** Who it is whose access is looked at; null for an anonymous client. */
export interface Accessor {
  readonly user: string | null;
  readonly clientId: string;
}

/** Topics that only the gateway publishes to, whatever lists say. */
const reserved = ['$SYS/', '$headwater/'];
/** Where the broker tells who comes and goes: for those alone whose list says so. */
const told = '$SYS';

/** Whether only the gateway publishes to the topic. */
export const isReserved = (topic: string): boolean =>
  topic.startsWith('$') && reserved.some((start) => topic.startsWith(start));

/**
 * Whether the pattern may stand in a list: a topic filter of MQTT [MQTT-4.7.1] of a bounded length, in which `%u` stands
 * for the name of the user and `%c` for the client id.
 */
export const isLegalPattern = (pattern: string): boolean =>
  isLegalFilter(pattern) && !/%(?![uc])/.test(pattern);

/** Whether it is a topic filter of MQTT [MQTT-4.7.1], of a bounded length and without control characters. */
export function isLegalFilter(filter: string): boolean {
  if (filter === '' || Buffer.byteLength(filter) > limits.topicPatternBytesMax) return false;
  if (/\p{Cc}/u.test(filter)) return false;
  const levels = filter.split('/');
  if (levels.length > limits.mqttTopicLevelsMax) return false;
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1;
    return level === '+' || !/[+#]/.test(level);
  });
}

/** What somebody may do, by lists in which `%u` and `%c` have been filled in. Pure. */
export class TopicAccess {
  /** Null for everywhere. */
  readonly #publish: readonly (readonly string[])[] | null;
  readonly #subscribe: readonly (readonly string[])[] | null;
  /** The topic that was last allowed: devices publish to few. */
  #allowed: string | null = null;

  constructor({ publish, subscribe }: AccessLists, accessor: Accessor) {
    const filledIn = (patterns: readonly string[]) =>
      patterns.flatMap((pattern) => {
        const filter = fillIn(pattern, accessor);
        return filter === null ? [] : [filter.split('/')];
      });
    this.#publish = publish === undefined ? null : filledIn(publish);
    this.#subscribe = subscribe === undefined ? null : filledIn(subscribe);
  }

  /** Whether a message may be published to the topic, which has no wildcards. */
  mayPublish(topic: string): boolean {
    if (topic === this.#allowed) return true;
    const levels = topic.split('/');
    const isAllowed = this.#publish === null || this.#publish.some((pattern) => covers(pattern, levels));
    if (isReserved(topic) || !isAllowed) return false;
    this.#allowed = topic;
    return true;
  }

  /** Whether one of the patterns covers all topics that the filter stands for. */
  maySubscribe(filter: string): boolean {
    const levels = filter.split('/');
    if (this.#subscribe === null) return levels[0] !== told;
    return this.#subscribe.some((pattern) => covers(pattern, levels));
  }
}

/**
 * Null if a value that is to be filled in could widen the pattern: a client chooses its id itself, and one that is called
 * `#` is not to get everything. Both are filled in at once, so that a user who is called `%c` gets nothing either.
 */
function fillIn(pattern: string, { user, clientId }: Accessor): string | null {
  let isSafe = true;
  const filter = pattern.replaceAll(/%[uc]/g, (word) => {
    const value = word === '%u' ? user : clientId;
    if (value !== null && isSafeValue(value)) return value;
    isSafe = false;
    return '';
  });
  return isSafe ? filter : null;
}

/** Whether a value is one level of a topic, and neither a wildcard nor the beginning of a `$` topic. */
const isSafeValue = (value: string): boolean => value !== '' && !/[+#/]|^\$/.test(value);

/** Whether every topic that the filter stands for is one that the pattern stands for. A topic is a filter for itself alone. */
function covers(pattern: readonly string[], filter: readonly string[]): boolean {
  if (filter[0]?.startsWith('$') && (pattern[0] === '#' || pattern[0] === '+')) return false;
  for (const [index, level] of pattern.entries()) {
    // `a/#` stands for `a` as well.
    if (level === '#') return true;
    const given = filter[index];
    if (given === undefined || given === '#') return false;
    if (level !== '+' && level !== given) return false;
  }
  return filter.length === pattern.length;
}
