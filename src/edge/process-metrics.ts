import process from 'node:process';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Metrics } from '../core/metrics.ts';

/** What the process costs the machine, and whether its main thread keeps up. */
export class ProcessMetrics {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #startedMs: number;
  readonly #sampling: NodeJS.Timeout;
  /** What the counters hold already. */
  #counted = { user: 0, system: 0, active: 0 };

  /** From then on the delays of the event loop are sampled. */
  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#startedMs = clock.monotonicMs();
    let lastMs = this.#startedMs;
    this.#sampling = setInterval(() => {
      const nowMs = clock.monotonicMs();
      const delayMs = Math.max(0, nowMs - lastMs - limits.eventLoopSampleMs);
      metrics.observe('headwater_event_loop_delay_seconds', delayMs / 1000);
      lastMs = nowMs;
    }, limits.eventLoopSampleMs).unref();
  }

  /** Enters what is read when somebody asks for it. */
  report(): void {
    const metrics = this.#metrics;
    const uptimeMs = this.#clock.monotonicMs() - this.#startedMs;
    metrics.set('headwater_start_time_seconds', (this.#clock.wallMs() - uptimeMs) / 1000);
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    metrics.set('headwater_memory_bytes', rss, { kind: 'resident' });
    metrics.set('headwater_memory_bytes', heapUsed, { kind: 'heap_used' });
    metrics.set('headwater_memory_bytes', heapTotal, { kind: 'heap_total' });
    metrics.set('headwater_memory_bytes', external, { kind: 'external' });
    metrics.set('headwater_memory_bytes', arrayBuffers, { kind: 'array_buffers' });
    this.#countTimes();
  }

  /** Ends the sampling. */
  stop(): void {
    clearInterval(this.#sampling);
  }

  #countTimes(): void {
    const { user, system } = process.cpuUsage();
    const now = {
      user: user / 1e6,
      system: system / 1e6,
      active: performance.eventLoopUtilization().active / 1000,
    };
    const before = this.#counted;
    this.#counted = now;
    for (const mode of ['user', 'system'] as const)
      this.#metrics.add('headwater_cpu_seconds_total', Math.max(0, now[mode] - before[mode]), { mode });
    const more = Math.max(0, now.active - before.active);
    this.#metrics.add('headwater_event_loop_active_seconds_total', more);
  }
}
