import { readFile, writeFile } from 'node:fs/promises';

/** How often the time left is told during a step, on a terminal. */
const TICK_MS = 1000;

/** Steps in their order, and how many seconds each took on two slow cores: what to expect until this machine has done it once. */
export type ExpectedSteps<Step extends string> = Readonly<Record<Step, number>>;

/** Tells how far a build is, and remembers how long its steps take here. */
export class Progress<Step extends string> {
  readonly #timesFile: string | null;
  readonly #write: (text: string) => void;
  readonly #isTerminal: boolean;
  readonly #expected: Record<string, number>;
  #left: readonly Step[];
  readonly seconds: Partial<Record<Step, number>> = {};

  private constructor(
    timesFile: string | null,
    expected: Record<string, number>,
    left: readonly Step[],
    output: NodeJS.WriteStream,
  ) {
    this.#timesFile = timesFile;
    this.#expected = expected;
    this.#left = left;
    this.#write = (text) => output.write(text);
    this.#isTerminal = output.isTTY;
  }

  /** Of a build of these steps; null for no file in which to remember. */
  static async of<Step extends string>(
    steps: ExpectedSteps<Step>,
    timesFile: string | null,
    output: NodeJS.WriteStream,
  ): Promise<Progress<Step>> {
    const known = timesFile === null ? {} : await readFile(timesFile, 'utf8').then(parsed, () => ({}));
    return new Progress(timesFile, { ...steps, ...known }, Object.keys(steps) as Step[], output);
  }

  /** Does a step. */
  async step<Result>(step: Step, work: () => Promise<Result>): Promise<Result> {
    this.#left = this.#left.filter((other) => other !== step);
    const startMs = performance.now();
    const tell = (): void => this.#write(`\r${this.#line(step, performance.now() - startMs)}\x1b[K`);
    if (this.#isTerminal) tell();
    else this.#write(`${this.#line(step, 0)}\n`);
    const timer = this.#isTerminal ? setInterval(tell, TICK_MS) : undefined;
    try {
      const result = await work();
      const seconds = Math.round((performance.now() - startMs) / 1000);
      this.seconds[step] = seconds;
      this.#expected[step] = seconds;
      this.#write(
        `${this.#isTerminal ? '\r' : ''}${step}: ${seconds} s${this.#isTerminal ? '\x1b[K' : ''}\n`,
      );
      if (this.#timesFile !== null) await writeFile(this.#timesFile, JSON.stringify(this.#expected));
      return result;
    } finally {
      clearInterval(timer);
    }
  }

  #line(step: Step, passedMs: number): string {
    const secondsOf = (one: string): number => this.#expected[one] ?? 0;
    const ofThis = Math.max(0, secondsOf(step) - passedMs / 1000);
    const seconds = this.#left.reduce((sum, other) => sum + secondsOf(other), ofThis);
    return `${step} … all is done in about ${Math.ceil(seconds / 60)} min`;
  }
}

function parsed(text: string): Record<string, number> {
  try {
    const content: unknown = JSON.parse(text);
    const entries = Object.entries(content as object).filter(([, value]) => typeof value === 'number');
    return Object.fromEntries(entries) as Record<string, number>;
  } catch {
    return {};
  }
}
