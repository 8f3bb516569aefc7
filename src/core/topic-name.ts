import { limits } from './limits.ts';

/** Where readings go that are sent nowhere else. */
export const readingsTopicName = 'readings';

/** Where bad input is kept. The gateway creates it when a source is configured that can have some. */
export const deadLettersTopicName = 'dead-letters';

/** The loss ledger: a record for each range of offsets that is gone, with its reason. */
export const gapsTopicName = 'gaps';

/** How the wall clock was set: a record for each clock epoch. */
export const clockTopicName = 'clock';

/** What detectors and models have found, and what became of it: a record for each change of an alert. */
export const anomaliesTopicName = 'anomalies';

/** Topics in which the gateway speaks of itself, or keeps what nobody could read. */
export const ownTopicNames: ReadonlySet<string> = new Set([
  anomaliesTopicName,
  clockTopicName,
  deadLettersTopicName,
  gapsTopicName,
]);

/** Topics of which these patterns speak: `*` stands for any characters, and what begins with `!` is left out. */
export function topicChooser(patterns: readonly string[]): (topic: string) => boolean {
  // Topic names consist of letters, digits, `.`, `_` and `-`.
  const patternOf = (pattern: string): RegExp =>
    new RegExp(`^${pattern.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`);
  const wanted = patterns.filter((one) => !one.startsWith('!')).map(patternOf);
  const unwanted = patterns.filter((one) => one.startsWith('!')).map((one) => patternOf(one.slice(1)));
  return (topic) => wanted.some((one) => one.test(topic)) && !unwanted.some((one) => one.test(topic));
}

/** Whether Kafka would accept the name for a topic: 1 to 249 of `a-z A-Z 0-9 . _ -`, but not `.` or `..`. */
export function isLegalTopicName(name: string): boolean {
  return (
    /^[a-zA-Z0-9._-]+$/.test(name) &&
    name.length <= limits.topicNameLengthMax &&
    name !== '.' &&
    name !== '..'
  );
}
