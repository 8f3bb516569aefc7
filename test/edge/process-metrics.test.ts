import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';
import { ProcessMetrics } from '../../src/edge/process-metrics.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';

let registry: MetricsRegistry;
let own: ProcessMetrics;

beforeEach(() => {
  registry = new MetricsRegistry();
  own = new ProcessMetrics(nodeClock, registry);
});

afterEach(() => own.stop());

async function value(line: string): Promise<number> {
  const text = await registry.render();
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );
}

function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('each blocking of the event loop is one late sample, whoever asks and however often', async () => {
  const late = async () =>
    (await value('headwater_event_loop_delay_seconds_count')) -
    (await value('headwater_event_loop_delay_seconds_bucket{le="0.25"}'));
  await vi.waitFor(async () =>
    expect(await value('headwater_event_loop_delay_seconds_count')).toBeGreaterThan(0),
  );
  const before = await late();
  block(400);
  await vi.waitFor(async () => expect(await late()).toBe(before + 1));
  expect(await late()).toBe(before + 1);
});

test('a timer that is not late is no delay', async () => {
  await vi.waitFor(async () =>
    expect(await value('headwater_event_loop_delay_seconds_bucket{le="0.025"}')).toBeGreaterThan(5),
  );
});

test('CPU time is counted since the last time, not added up again', async () => {
  own.report();
  const [user, active] = [
    'headwater_cpu_seconds_total{mode="user"}',
    'headwater_event_loop_active_seconds_total',
  ];
  const before = await value(user);
  const cpuBefore = process.cpuUsage();
  const activeBefore = await value(active);
  block(300);
  // What is active is only known when the turn is over.
  await nodeClock.sleep(1);
  own.report();
  own.report();
  const cpu = process.cpuUsage(cpuBefore);
  expect((await value(user)) - before).toBeGreaterThan(0.05);
  expect((await value(user)) - before).toBeLessThanOrEqual(cpu.user / 1e6 + 0.5);
  expect((await value(active)) - activeBefore).toBeGreaterThan(0.2);
  expect((await value(active)) - activeBefore).toBeLessThan(30);
});

test('memory is that of this process, and the start by the wall clock of now', async () => {
  own.report();
  const { rss } = process.memoryUsage();
  expect(await value('headwater_memory_bytes{kind="resident"}')).toBeGreaterThan(rss / 2);
  expect(await value('headwater_memory_bytes{kind="heap_used"}')).toBeLessThan(rss);
  const start = await value('headwater_start_time_seconds');
  expect(Math.abs(Date.now() / 1000 - start)).toBeLessThan(15);
});
