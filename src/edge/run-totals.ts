import type { MetricLabels, MetricName, Metrics } from '../core/metrics.ts';
import type { WrittenKind } from '../platform/counted-disk.ts';
import { type CardTotals, noTotals } from './card-totals.ts';

/** Passes all numbers on, and sums up what this run has cost the card, in whatever thread it was written. */
export class RunTotals implements Metrics {
  readonly #next: Metrics;
  readonly #deviceBytes = { ...noTotals.deviceBytes };
  #payloadBytes = 0;

  constructor(next: Metrics) {
    this.#next = next;
  }

  /** So far. */
  totals(): CardTotals {
    return { payloadBytes: this.#payloadBytes, deviceBytes: { ...this.#deviceBytes } };
  }

  add(name: MetricName, by: number, labels?: MetricLabels): void {
    if (name === 'headwater_payload_bytes_total') this.#payloadBytes += by;
    if (name === 'headwater_device_bytes_written_total')
      this.#deviceBytes[labels?.['kind'] as WrittenKind] += by;
    this.#next.add(name, by, labels);
  }

  set(name: MetricName, value: number, labels?: MetricLabels): void {
    this.#next.set(name, value, labels);
  }

  observe(name: MetricName, value: number, labels?: MetricLabels): void {
    this.#next.observe(name, value, labels);
  }
}
