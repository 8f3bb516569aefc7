/** What is wrong with a sensor, by the rule that found it. */
export const sensorFaults = [
  'stuck',
  'silence',
  'out-of-range',
  'rate',
  'spike',
  'level-shift',
  'drift',
  'noise-up',
  'noise-down',
  'sentinel',
  'duplicate',
  'out-of-order',
  'clock-skew',
] as const;

/** Also `counter-reset`, which is told but is no anomaly; `unusual`, which the learned views find; and `model`, which somebody else's model does. */
export const findingKinds = [...sensorFaults, 'counter-reset', 'unusual', 'model'] as const;

export type FindingKind = (typeof findingKinds)[number];

/** Where a value was expected to be. */
export interface Expected {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Values beyond it are told as out of range; null where no limit is known yet. */
export interface ValueRange {
  readonly low: number | null;
  readonly high: number | null;
}

/** What a detector has found to be wrong at a reading. It is found again at each reading for which it still holds. */
export interface Finding {
  readonly kind: FindingKind;
  /** 1 to 1000, as in OPC UA part 9. */
  readonly severity: number;
  /** From 0 to 1; that of a rule is 1. */
  readonly score: number;
  /** Null where no value was expected. */
  readonly expected: Expected | null;
  /** How rare it is, in words; null where nobody knows. */
  readonly rarity: string | null;
  /** Why, in words: what the rule saw, or the two views that speak loudest. */
  readonly words: readonly string[];
  /** The series is not known well yet. */
  readonly isWarmingUp: boolean;
}
