/** Runs a command beside a gateway, and gives what it printed. */
type RunBeside = (...command: readonly string[]) => Promise<string>;

/** A publisher's own list of what a gateway has acknowledged: numbers from 1 on. */
export class SentReadings {
  readonly #run: RunBeside;
  #count = 0;

  constructor(run: RunBeside) {
    this.#run = run;
  }

  /** One more. Resolves when it is acknowledged. */
  async publish(): Promise<void> {
    const reading = String(this.#count + 1);
    const message = ['-q', '1', '-t', 'cellar/temperature', '-m', reading];
    await this.#run('mosquitto_pub', '-h', '127.0.0.1', ...message);
    this.#count += 1;
  }

  get all(): readonly string[] {
    return Array.from({ length: this.#count }, (_, index) => String(index + 1));
  }
}

/** The lines that `headwater consume` printed. */
export const consumed = (output: string): readonly string[] => output.trim().split('\n');
