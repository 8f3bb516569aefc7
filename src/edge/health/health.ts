/*
 * One judgement of whether this process does its work, for the watchdog and for whoever asks: the event loop turns, and
 * commits complete or the log refuses readings for a reason that it names. A pure function from state and event to state and
 * commands; the uplink is no part of it.
 */

/** What is known of the log. */
export interface Health {
  /** How often the disk had answered at the last look: commits that completed, and attempts to recover the journal that failed. */
  readonly answers: number;
  /** Since when a commit is owed that proves that they complete, by the monotonic clock; null if none is. */
  readonly owedSinceMs: number | null;
  /** Whether a commit for that alone is under way. */
  readonly isChecking: boolean;
  /** Whether a whole period has passed in which a commit was owed. */
  readonly isStuck: boolean;
}

/** What happens. */
export type HealthEvent =
  /**
   * A period is over. `refusesAndWaits`: the log takes nothing for a reason that it names, and asks nothing of the disk: its budget is
   * used up, or it waits until it tries to recover again.
   */
  | {
      readonly kind: 'look';
      readonly nowMs: number;
      readonly answers: number;
      readonly refusesAndWaits: boolean;
    }
  /** The commit for the check is durable. */
  | { readonly kind: 'checked'; readonly answers: number }
  /** The log did not take it. */
  | { readonly kind: 'not-checked' };

/** What is to be done. */
export type HealthCommand =
  /** Tell the watchdog that all is well. */
  | 'alive'
  /** Make a commit. */
  | 'check'
  /** Say that the gateway is stuck, or no longer. */
  | 'tell-stuck'
  | 'tell-moving';

/** What becomes of an event. */
export interface HealthStep {
  readonly health: Health;
  readonly commands: readonly HealthCommand[];
}

/** Of a gateway whose disk has answered so often. */
export const freshHealth = (answers: number): Health => ({
  answers,
  owedSinceMs: null,
  isChecking: false,
  isStuck: false,
});

/**
 * What is known after an event, and what is to be done. A commit since the last look is the proof, and costs nothing; so is an
 * attempt to recover the journal that failed: as long as the medium refuses, starting anew would not help. Without either a check is
 * begun, which has the time until the next look. While the log is stuck, each answer after all ends that.
 */
export function healthStep(health: Health, event: HealthEvent): HealthStep {
  switch (event.kind) {
    case 'look':
      if (event.refusesAndWaits || event.answers !== health.answers)
        return well({ ...health, answers: event.answers });
      return owing(health, event.nowMs);
    case 'checked':
      return well({ ...health, answers: event.answers, isChecking: false });
    case 'not-checked':
      return { health: { ...health, isChecking: false }, commands: [] };
  }
}

function well(health: Health): HealthStep {
  return {
    health: { ...health, owedSinceMs: null, isStuck: false },
    commands: health.isStuck ? ['alive', 'tell-moving'] : ['alive'],
  };
}

function owing(health: Health, nowMs: number): HealthStep {
  const isStuck = health.owedSinceMs !== null;
  return {
    health: { ...health, owedSinceMs: health.owedSinceMs ?? nowMs, isChecking: true, isStuck },
    commands: [
      ...(health.isChecking ? [] : (['check'] as const)),
      ...(isStuck && !health.isStuck ? (['tell-stuck'] as const) : []),
    ],
  };
}
