/** A step of the build, and how long it takes beside the others: seconds on two slow cores. */
export interface Step {
  readonly name: string;
  readonly weight: number;
  readonly run: () => Promise<void>;
}

/** Runs steps one after the other. Each is told when it begins, with what all that is left will take at the pace so far. */
export async function runSteps(
  steps: readonly Step[],
  print: (line: string) => void,
  nowMs: () => number,
): Promise<void> {
  const startMs = nowMs();
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  let done = 0;
  for (const [index, { name, weight, run }] of steps.entries()) {
    const elapsedSeconds = (nowMs() - startMs) / 1000;
    const pace = done === 0 ? 1 : elapsedSeconds / done;
    const left = Math.ceil((total - done) * pace);
    print(`[${index + 1}/${steps.length}] ${name} (about ${left} s left)`);
    await run();
    done += weight;
  }
}
