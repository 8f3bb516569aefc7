import type { MetricLabels, MetricName, Metrics } from '../core/metrics.ts';
import type { WrittenKind } from '../platform/counted-disk.ts';
import { type CardTotals, noTotals } from './card-totals.ts';

/** Passes all numbers on, and sums up what people are told of this run: what came, and what it has cost the card, in whatever thread it was written. */
export class RunTotals implements Metrics {
  readonly #next: Metrics;
  readonly #deviceBytes = { ...noTotals.deviceBytes };
  readonly #accepted = new Map<string, number>();
  #payloadBytes = 0;

  constructor(next: Metrics) {
    this.#next = next;
  }

  /** So far. */
  totals(): CardTotals {
    return { payloadBytes: this.#payloadBytes, deviceBytes: { ...this.#deviceBytes } };
  }

  /** Records made durable, by their source. */
  accepted(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#accepted);
  }

  add(name: MetricName, by: number, labels?: MetricLabels): void {
    if (name === 'headwater_records_accepted_total') this.#accept(`${labels?.['source']}`, by);
    if (name === 'headwater_payload_bytes_total') this.#payloadBytes += by;
    if (name === 'headwater_device_bytes_written_total')
      this.#deviceBytes[labels?.['kind'] as WrittenKind] += by;
    this.#next.add(name, by, labels);
  }

  #accept(source: string, by: number): void {
    // Counted from zero, and nothing has come yet.
    if (by === 0) return;
    this.#accepted.set(source, (this.#accepted.get(source) ?? 0) + by);
  }

  set(name: MetricName, value: number, labels?: MetricLabels): void {
    this.#next.set(name, value, labels);
  }

  observe(name: MetricName, value: number, labels?: MetricLabels): void {
    this.#next.observe(name, value, labels);
  }
}
