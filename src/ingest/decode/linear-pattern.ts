import { limits } from '../../core/limits.ts';
import { type Assertion, type PatternNode, parsePattern, type Times } from './pattern-syntax.ts';

/** A step on the way through a text. Steps follow one another but for forks, jumps and the end. */
type Step =
  | { readonly kind: 'character'; readonly matches: (character: string) => boolean }
  | { readonly kind: 'assertion'; readonly holds: Assertion }
  /** Two ways on, of which the first is preferred. */
  | { readonly kind: 'fork'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  /** Where a group begins (its slot is even) or ends. */
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'end' };

/** A way that may still lead to the end. */
interface Thread {
  readonly step: number;
  readonly saved: Saved | null;
}

/** Where a group has begun or ended on a way, and what was saved before. None is saved twice: groups do not repeat. */
interface Saved {
  readonly slot: number;
  readonly at: number;
  readonly before: Saved | null;
}

/**
 * A regular expression that is followed in time linear in the text, whatever pattern and text are: all ways through it
 * at once, one character after the other (R. Pike's machine, as in R. Cox, "Regular Expression Matching: the Virtual
 * Machine Approach", 2009), where JavaScript's own engine tries one way after the other, of which there can be
 * exponentially many. It prefers the same ways and so finds the same.
 */
export class LinearPattern {
  /** As it is written. */
  readonly source: string;
  readonly #steps: readonly Step[];
  readonly #groups: readonly string[];

  private constructor(source: string, steps: readonly Step[], groups: readonly string[]) {
    this.source = source;
    this.#steps = steps;
    this.#groups = groups;
  }

  /** The pattern, or what to write instead: see {@link parsePattern}; it has at most `limits.decoderPatternStepsMax` steps. */
  static of(pattern: string): LinearPattern | { readonly problem: string } {
    const parsed = parsePattern(pattern);
    if ('problem' in parsed) return parsed;
    const compiler = new Compiler();
    compiler.emit(parsed.node);
    compiler.add({ kind: 'end' });
    if (compiler.isTooLong)
      return {
        problem: `write a shorter pattern: with its {…} written out it has more than ${limits.decoderPatternStepsMax} steps`,
      };
    return new LinearPattern(pattern, compiler.steps, parsed.groups);
  }

  /** What the groups are in the first match that the text has, without those that took no part; null if it has none. */
  match(text: string): ReadonlyMap<string, string> | null {
    const characters = Array.from(text);
    const saved = new Search(this.#steps, characters).saved();
    if (saved === null) return null;
    const slots = new Map(saved.map(({ slot, at }) => [slot, at]));
    const found = new Map<string, string>();
    this.#groups.forEach((name, index) => {
      const from = slots.get(index * 2);
      if (from !== undefined) found.set(name, characters.slice(from, slots.get(index * 2 + 1)).join(''));
    });
    return found;
  }
}

/** Writes the steps of a pattern. */
class Compiler {
  readonly steps: Step[] = [];
  isTooLong = false;

  add(step: Step): void {
    if (this.steps.length < limits.decoderPatternStepsMax) this.steps.push(step);
    else this.isTooLong = true;
  }

  emit(node: PatternNode): void {
    if (node.kind === 'character' || node.kind === 'assertion') this.add(node);
    else if (node.kind === 'sequence') this.#emitSequence(node.nodes);
    else if (node.kind === 'choice') this.#emitChoice(node.nodes);
    else if (node.kind === 'repeat') this.#emitRepeat(node.node, node.times);
    else {
      this.add({ kind: 'save', slot: node.index * 2 });
      this.emit(node.node);
      this.add({ kind: 'save', slot: node.index * 2 + 1 });
    }
  }

  #emitSequence(nodes: readonly PatternNode[]): void {
    // A step for nothing too, so that to repeat it a million times is too long.
    if (nodes.length === 0) this.add({ kind: 'jump', to: this.steps.length + 1 });
    for (const node of nodes) this.emit(node);
  }

  #emitChoice(nodes: readonly PatternNode[]): void {
    const jumps: { kind: 'jump'; to: number }[] = [];
    nodes.forEach((node, index) => {
      if (index === nodes.length - 1) {
        this.emit(node);
        return;
      }
      const fork = this.#fork();
      this.emit(node);
      const jump = { kind: 'jump' as const, to: 0 };
      jumps.push(jump);
      this.add(jump);
      fork.second = this.steps.length;
    });
    for (const jump of jumps) jump.to = this.steps.length;
  }

  #emitRepeat(node: PatternNode, { min, max, isGreedy }: Times): void {
    for (let count = 0; count < min && !this.isTooLong; count += 1) this.emit(node);
    const isEndless = max === Number.POSITIVE_INFINITY;
    const more = isEndless ? 1 : max - min;
    const forks = [];
    for (let count = 0; count < more && !this.isTooLong; count += 1) {
      const start = this.steps.length;
      forks.push(this.#fork());
      this.emit(node);
      if (isEndless) this.add({ kind: 'jump', to: start });
    }
    for (const fork of forks) {
      fork.second = this.steps.length;
      if (!isGreedy) [fork.first, fork.second] = [fork.second, fork.first];
    }
  }

  /** A fork to the next step, and to somewhere else. */
  #fork(): { kind: 'fork'; first: number; second: number } {
    const fork = { kind: 'fork' as const, first: this.steps.length + 1, second: 0 };
    this.add(fork);
    return fork;
  }
}

/** One search through a text. */
class Search {
  readonly #steps: readonly Step[];
  readonly #characters: readonly string[];
  /** Where in the text each step was last come to: by a way that is preferred to all that come later. */
  readonly #seen: Int32Array;

  constructor(steps: readonly Step[], characters: readonly string[]) {
    this.#steps = steps;
    this.#characters = characters;
    this.#seen = new Int32Array(steps.length).fill(-1);
  }

  /** Where groups begin and end in the match that is preferred; null if there is none. */
  saved(): readonly Saved[] | null {
    let best: Thread | null = null;
    let threads: Thread[] = [];
    for (let at = 0; at <= this.#characters.length; at += 1) {
      // A match that begins here counts only if none has begun before.
      if (best === null) this.#follow(threads, 0, null, at);
      else if (threads.length === 0) break;
      const next: Thread[] = [];
      for (const thread of threads) {
        const step = this.#steps[thread.step];
        if (step?.kind === 'end') {
          best = thread;
          break;
        }
        const character = this.#characters[at];
        if (step?.kind === 'character' && character !== undefined && step.matches(character))
          this.#follow(next, thread.step + 1, thread.saved, at + 1);
      }
      threads = next;
    }
    if (best === null) return null;
    const all: Saved[] = [];
    for (let one = best.saved; one !== null; one = one.before) all.push(one);
    return all;
  }

  /** Adds the threads that a way leads to without another character, in the order in which they are preferred. */
  #follow(threads: Thread[], from: number, saved: Saved | null, at: number): void {
    for (let index = from; ; ) {
      if (this.#seen[index] === at) return;
      this.#seen[index] = at;
      const step = this.#steps[index];
      if (step === undefined) return;
      if (step.kind === 'save') {
        this.#follow(threads, index + 1, { slot: step.slot, at, before: saved }, at);
        return;
      }
      if (step.kind === 'character' || step.kind === 'end') {
        threads.push({ step: index, saved });
        return;
      }
      if (step.kind === 'assertion' && !step.holds(this.#characters, at)) return;
      if (step.kind === 'fork') this.#follow(threads, step.first, saved, at);
      index = step.kind === 'fork' ? step.second : step.kind === 'jump' ? step.to : index + 1;
    }
  }
}
