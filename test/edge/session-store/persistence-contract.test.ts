import assert from 'node:assert';
import { createRequire } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { WorkerSessionStore } from '../../../src/edge/session-store/worker-session-store.ts';
import { defaultMqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';
import { MqttState } from '../../../src/ingest/mqtt/sessions/mqtt-state.ts';
import { sessionPersistence } from '../../../src/ingest/mqtt/sessions/session-persistence.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { noHistory } from '../../support/memory-session-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/* What aedes asks of any persistence, as its own makers test it; over the store on the disk. */

interface Context {
  readonly assert: object;
  plan(count: number): void;
  diagnostic(): void;
}

type Suite = (options: {
  readonly test: (name: string, run: (context: Context) => Promise<void>) => void;
  readonly persistence: () => Promise<object>;
  readonly testAsync: boolean;
}) => void;

const suite = createRequire(import.meta.url)('aedes-persistence/abstract.js') as Suite;
const cleanUps: (() => Promise<void>)[] = [];
let count = 0;

async function persistence(): Promise<object> {
  const folder = await temporaryFolder();
  const store = new WorkerSessionStore(folder.path, silentLogger, noMetrics);
  const state = await MqttState.open({
    limits: defaultMqttLimits,
    store,
    history: noHistory,
    clock: nodeClock,
    logger: silentLogger,
    metrics: noMetrics,
    remark() {},
  });
  cleanUps.push(async () => {
    await state.stop();
    await folder[Symbol.asyncDispose]();
  });
  return sessionPersistence(state);
}

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

suite({
  test: (name, run) => {
    count += 1;
    test(name, async () => {
      let planned: number | null = null;
      let made = 0;
      const counted = new Proxy(assert, {
        get(target, property) {
          const check = Reflect.get(target, property) as (...values: unknown[]) => void;
          return (...values: unknown[]) => {
            made += 1;
            check(...values);
          };
        },
      });
      await run({
        assert: counted,
        plan(wanted) {
          planned = wanted;
        },
        diagnostic() {},
      });
      if (planned !== null) expect(made).toBe(planned);
    });
  },
  persistence,
  testAsync: true,
});

test('the suite has as many tests as it had when it was looked at', () => {
  expect(count).toBe(50);
});
