import { limits } from '../../../core/limits.ts';

/**
 * Topics of MQTT: a topic filter [MQTT-4.7.1], in which `{name}` stands for one level like `+`, and `{name#}` at the end for all further ones
 * like `#`, and what they stand for can be used by that name.
 */
export interface TopicPattern {
  readonly text: string;
  readonly levels: readonly Level[];
}

type Level =
  | { readonly kind: 'exactly'; readonly text: string }
  | { readonly kind: 'any' | 'rest'; readonly name: string | null };

/** What the names of a pattern stand for in one topic. */
export type Captures = ReadonlyMap<string, string>;

/** Reads a pattern, or says in words what to write instead. */
export function parsePattern(text: string): TopicPattern | { readonly problem: string } {
  const parts = text.split('/');
  if (
    text === '' ||
    Buffer.byteLength(text) > limits.topicPatternBytesMax ||
    parts.length > limits.mqttTopicLevelsMax
  )
    return { problem: `write a pattern of MQTT topics of at most ${limits.topicPatternBytesMax} bytes` };
  const levels: Level[] = [];
  for (const [index, part] of parts.entries()) {
    const level = parseLevel(part);
    if (level === null)
      return { problem: `write + or {name} for one level, # or {name#} for the rest, instead of ${part}` };
    if (level.kind === 'rest' && index < parts.length - 1)
      return { problem: `write ${part} at the end, or + or {name} for a single level` };
    levels.push(level);
  }
  const names = namesOf({ text, levels });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? { text, levels } : { problem: `use {${twice}} once only` };
}

/** The names that a pattern gives to levels. */
export const namesOf = ({ levels }: TopicPattern): readonly string[] =>
  levels.flatMap((level) => (level.kind === 'exactly' || level.name === null ? [] : [level.name]));

/** What the names stand for in this topic, given as its levels; null if the pattern does not stand for it. */
export function matchPattern({ levels }: TopicPattern, topic: readonly string[]): Captures | null {
  // No wildcard at the beginning stands for a topic of the broker itself [MQTT-4.7.2-1].
  if (topic[0]?.startsWith('$') && levels[0]?.kind !== 'exactly') return null;
  const captures = new Map<string, string>();
  for (const [index, level] of levels.entries()) {
    if (level.kind === 'rest') {
      if (level.name !== null) captures.set(level.name, topic.slice(index).join('/'));
      return captures;
    }
    const given = topic[index];
    if (given === undefined || (level.kind === 'exactly' && level.text !== given)) return null;
    if (level.kind === 'any' && level.name !== null) captures.set(level.name, given);
  }
  return topic.length === levels.length ? captures : null;
}

function parseLevel(part: string): Level | null {
  if (part === '+') return { kind: 'any', name: null };
  if (part === '#') return { kind: 'rest', name: null };
  const [, name, rest] = /^\{([a-zA-Z][a-zA-Z0-9_]*)(#?)\}$/.exec(part) ?? [];
  if (name !== undefined) return { kind: rest === '#' ? 'rest' : 'any', name };
  return /[+#{}\0]/.test(part) ? null : { kind: 'exactly', text: part };
}
