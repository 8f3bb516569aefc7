import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { assert } from '../core/errors.ts';
import { type MetricLabels, type MetricName, type Metrics, metricRows } from '../core/metrics.ts';

/** From a commit in a memory-backed file to the sealing of many files on a slow card. */
const SECONDS_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Keeps the product's numbers, and writes them as Prometheus reads them. */
export class MetricsRegistry implements Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #metrics = new Map<MetricName, Counter | Gauge | Histogram>();

  constructor() {
    this.contentType = this.#registry.contentType;
    for (const [name, row] of Object.entries(metricRows)) {
      const options = { name, help: row.help, labelNames: row.labels, registers: [this.#registry] };
      this.#metrics.set(
        name as MetricName,
        row.type === 'counter'
          ? new Counter(options)
          : row.type === 'gauge'
            ? new Gauge(options)
            : new Histogram({ ...options, buckets: SECONDS_BUCKETS }),
      );
    }
  }

  add(name: MetricName, by: number, labels: MetricLabels = {}): void {
    const metric = this.#metrics.get(name);
    assert(metric instanceof Counter, `${name} is a counter`);
    metric.inc(labels, by);
  }

  set(name: MetricName, value: number, labels: MetricLabels = {}): void {
    const metric = this.#metrics.get(name);
    assert(metric instanceof Gauge, `${name} is a gauge`);
    metric.set(labels, value);
  }

  observe(name: MetricName, value: number, labels: MetricLabels = {}): void {
    const metric = this.#metrics.get(name);
    assert(metric instanceof Histogram, `${name} is a histogram`);
    metric.observe(labels, value);
  }

  /** Forgets all values of a gauge, for one whose labels name what may be gone. */
  forget(name: MetricName): void {
    const metric = this.#metrics.get(name);
    assert(metric instanceof Gauge, `${name} is a gauge`);
    metric.reset();
  }

  /** All metrics in Prometheus' text format. */
  async render(): Promise<string> {
    return await this.#registry.metrics();
  }
}
