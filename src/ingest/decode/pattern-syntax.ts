import { limits } from '../../core/limits.ts';

/** What a pattern is made of. */
export type PatternNode =
  | { readonly kind: 'character'; readonly matches: (character: string) => boolean }
  | { readonly kind: 'assertion'; readonly holds: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  /** One of these; an earlier one is preferred. */
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly index: number; readonly node: PatternNode }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly times: Times };

/** Whether something is so at a place in a text, counted in characters, such as `^`. */
export type Assertion = (characters: readonly string[], at: number) => boolean;

export interface Times {
  readonly min: number;
  /** Infinity for no end. */
  readonly max: number;
  readonly isGreedy: boolean;
}

export interface ParsedPattern {
  readonly node: PatternNode;
  /** The names of the groups, by index. */
  readonly groups: readonly string[];
}

/** One character, or what stands for one of some. */
const character =
  /\[(?:\\.|[^\]\\])*\]|\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[\da-fA-F]{4}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[pP]\{[^}]*\}|c.|.)|[^\\]/suy;
const quantifier = /(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/y;
const opening = /\((?:\?:|\?<([^>=!]+)>|(?!\?))/y;
const backReference = /\\[1-9k]/y;

const isWord = (one: string | undefined): boolean => one !== undefined && /^\w$/.test(one);
const isBoundary: Assertion = (characters, at) => isWord(characters[at - 1]) !== isWord(characters[at]);

const assertions: Readonly<Record<string, Assertion>> = {
  '^': (_, at) => at === 0,
  $: (characters, at) => at === characters.length,
  '\\b': isBoundary,
  '\\B': (characters, at) => !isBoundary(characters, at),
};

/**
 * Understands a regular expression as JavaScript has them with the flag `u`, or says what to write instead. What nobody
 * can follow in linear time is refused (back-references, looking ahead and behind); so are modifiers, groups with a
 * name that may repeat, which have no one value, and quantifiers on what can be empty, of which JavaScript has its own
 * idea. Groups without a name only group.
 */
export function parsePattern(pattern: string): ParsedPattern | { readonly problem: string } {
  try {
    new RegExp(pattern, 'u');
  } catch (error) {
    return {
      problem: `write a legal regular expression (${error instanceof Error ? error.message : error})`,
    };
  }
  return new Parser(pattern).parse();
}

/** Reads a pattern that is known to be legal; what it does not take is a problem. */
class Parser {
  readonly #pattern: string;
  readonly #groups: string[] = [];
  #at = 0;
  #problem: string | null = null;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): ParsedPattern | { readonly problem: string } {
    const node = this.#choice();
    if (this.#problem !== null) return { problem: this.#problem };
    if (this.#groups.length > limits.decoderPatternGroupsMax)
      return { problem: `write at most ${limits.decoderPatternGroupsMax} groups with names` };
    if (this.#groups.length === 0)
      return { problem: 'name what is to be kept with a group, such as (?<temperature>[0-9.]+)' };
    return { node, groups: this.#groups };
  }

  /** `a|b|c`, to the end or the parenthesis that closes it. */
  #choice(): PatternNode {
    const nodes = [this.#sequence()];
    while (this.#problem === null && this.#pattern[this.#at] === '|') {
      this.#at += 1;
      nodes.push(this.#sequence());
    }
    return { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#problem === null && !['|', ')', undefined].includes(this.#pattern[this.#at])) {
      const groupsBefore = this.#groups.length;
      const node = this.#term();
      const times = this.#times();
      if ((times?.max ?? 1) > 1 && this.#groups.length > groupsBefore)
        this.#refuse(`let the group (?<${this.#groups.at(-1)}>…) not repeat, for it has one value`);
      if (times !== null && times.max > times.min && canBeEmpty(node))
        this.#refuse('let nothing be optional or repeat that can be empty anyway, such as (a*)?');
      nodes.push(times === null ? node : { kind: 'repeat', node, times });
    }
    return { kind: 'sequence', nodes };
  }

  #term(): PatternNode {
    if (this.#pattern[this.#at] === '(') return this.#group();
    if (this.#take(backReference) !== null) this.#refuse('do not refer to a group inside the pattern');
    const [source = ''] = this.#take(character) ?? [];
    const holds = assertions[source];
    return holds === undefined
      ? { kind: 'character', matches: characterTest(source) }
      : { kind: 'assertion', holds };
  }

  #group(): PatternNode {
    const found = this.#take(opening);
    if (found === null) {
      this.#refuse('write groups as (…), (?:…) or (?<name>…); what looks ahead or behind takes too long');
      return { kind: 'sequence', nodes: [] };
    }
    const name = found[1];
    // The same name may stand in two alternatives.
    if (name !== undefined && !this.#groups.includes(name)) this.#groups.push(name);
    const node = this.#choice();
    this.#at += 1;
    return name === undefined ? node : { kind: 'group', index: this.#groups.indexOf(name), node };
  }

  /** Null if there is no quantifier. */
  #times(): Times | null {
    const found = this.#take(quantifier);
    if (found === null) return null;
    const [, sign, least, comma, most, lazy] = found;
    const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0;
    const open = sign === '*' || sign === '+' || (comma === ',' && most === '');
    const max = open ? Number.POSITIVE_INFINITY : sign === '?' ? 1 : comma === '' ? min : Number(most);
    return { min, max, isGreedy: lazy === '' };
  }

  #take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.#at;
    const found = what.exec(this.#pattern);
    if (found !== null) this.#at = what.lastIndex;
    return found;
  }

  #refuse(problem: string): void {
    this.#problem ??= problem;
  }
}

/** Whether it matches without a character. */
function canBeEmpty(node: PatternNode): boolean {
  if (node.kind === 'character') return false;
  if (node.kind === 'assertion') return true;
  if (node.kind === 'group') return canBeEmpty(node.node);
  if (node.kind === 'repeat') return node.times.min === 0 || canBeEmpty(node.node);
  return node.kind === 'choice' ? node.nodes.some(canBeEmpty) : node.nodes.every(canBeEmpty);
}

/** Asks the engine of JavaScript about one character, once for each of the usual ones. */
function characterTest(source: string): (character: string) => boolean {
  const test = new RegExp(`^${source}$`, 'u');
  const usual = Array.from({ length: limits.decoderUsualCharacters }, (_, code) =>
    test.test(String.fromCharCode(code)),
  );
  return (one) => usual[one.charCodeAt(0)] ?? test.test(one);
}
