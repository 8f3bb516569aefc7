import type { Failure, FailureKind } from '../cluster/target.ts';

/** How often something had to be tried again, for one cause. */
export interface Retry {
  readonly kind: FailureKind;
  /** Kafka's name of the error, or what kept the answer from coming; empty if there is no more to say than the kind. */
  readonly cause: string;
  /** In this run. */
  readonly count: number;
}

/** Counts failures by cause. Causes are words of ours and names that we know of Kafka, so there are not many of them. */
export class Retries {
  readonly #counts = new Map<string, Retry>();

  /** One more. */
  count({ kind, cause = '' }: Failure): void {
    const key = `${kind} ${cause}`;
    this.#counts.set(key, { kind, cause, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }

  /** The most frequent first. */
  list(): readonly Retry[] {
    return [...this.#counts.values()].sort((one, other) => other.count - one.count);
  }
}
