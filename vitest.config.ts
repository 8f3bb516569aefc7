import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Processes that tests start are up in half the time when Node need not compile the same files again. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') };

/** One project per tier. `fast` is every unit, contract, golden and tidy test; the others are named by their folder. */
const tier = (name: string, testTimeoutMs: number, fileParallelism = true) => ({
  test: {
    // By default one core of two would be left idle.
    maxWorkers: '100%',
    name,
    env,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: testTimeoutMs,
    hookTimeout: testTimeoutMs,
    fileParallelism,
  },
});

export default defineConfig({
  test: {
    // By default one core of two would be left idle.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'fast',
          env,
          include: ['test/**/*.test.ts'],
          setupFiles: ['test/support/answer-check.ts'],
          exclude: ['test/{sim,process,kill,system,kafka,browser,disk,deploy}/**', 'node_modules/**'],
          testTimeout: 20_000,
          // Nothing here keeps state in modules, and loading them anew for each file took a fifth of the time.
          isolate: false,
        },
      },
      tier('sim', 120_000),
      tier('process', 60_000),
      tier('kill', 300_000, false),
      tier('system', 60_000, false),
      tier('kafka', 600_000, false),
      tier('browser', 300_000, false),
      tier('disk', 120_000, false),
      tier('deploy', 900_000, false),
    ],
  },
});
