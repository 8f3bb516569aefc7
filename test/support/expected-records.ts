/** A place in the records that are expected of what was sent, in order. */
export interface ExpectedRecord {
  /** As text; `any` where what was damaged may have become a record of any value. */
  readonly value: string | 'any';
  /** Whether it has to be there. */
  readonly isNeeded: boolean;
}

/** How records differ from what is expected: the first one that fits nowhere, or one that is missing; null if they do not. */
export function firstMisfit(expected: readonly ExpectedRecord[], records: readonly string[]): string | null {
  let places = withSkipped(expected, [0]);
  for (const [index, record] of records.entries()) {
    const next = [...places].filter((place) => {
      const value = expected[place]?.value;
      return value === 'any' || value === record;
    });
    if (next.length === 0) return `record ${index} is ${record}, ${described(expected, places)} expected`;
    places = withSkipped(
      expected,
      next.map((place) => place + 1),
    );
  }
  return places.has(expected.length)
    ? null
    : `after ${records.length} records one is missing: ${described(expected, places)}`;
}

/** These places, and those that can be reached from them without any record. */
function withSkipped(expected: readonly ExpectedRecord[], places: readonly number[]): ReadonlySet<number> {
  const reached = new Set(places);
  // What is added while it is looked through is looked at as well.
  for (const place of reached) if (expected[place]?.isNeeded === false) reached.add(place + 1);
  return reached;
}

const described = (expected: readonly ExpectedRecord[], places: ReadonlySet<number>): string =>
  [...places].map((place) => expected[place]?.value ?? 'the end').join(' or ');
