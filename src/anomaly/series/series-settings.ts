import { noHints, type SeriesHints } from '../detection/reading.ts';

/** Which detectors look at a series. */
export const detections = ['all', 'faults', 'off'] as const;

export type DetectionScope = (typeof detections)[number];

/** What is known of a series besides its readings. */
export interface SeriesSettings {
  readonly hints: SeriesHints;
  /** As people write it behind a value; null if nobody has said. */
  readonly unit: string | null;
  readonly detect: DetectionScope;
}

/** What the configuration says of the series whose names a pattern stands for; what it leaves out is as for others. */
export interface SeriesRule {
  /** `*` stands for any characters. */
  readonly match: string;
  readonly hints: Partial<SeriesHints>;
  readonly unit?: string | undefined;
  readonly detect?: DetectionScope | undefined;
}

/** For a series that no rule stands for. */
export const defaultSettings: SeriesSettings = { hints: noHints, unit: null, detect: 'all' };

/** The settings of series by their names: the first rule whose pattern stands for the name counts. */
export class SeriesSettingsBook {
  readonly #rules: readonly { readonly pattern: RegExp; readonly settings: SeriesSettings }[];

  constructor(rules: readonly SeriesRule[]) {
    this.#rules = rules.map(({ match, hints, unit, detect }) => ({
      pattern: patternOf(match),
      settings: { hints: { ...noHints, ...hints }, unit: unit ?? null, detect: detect ?? 'all' },
    }));
  }

  of(name: string): SeriesSettings {
    return this.#rules.find(({ pattern }) => pattern.test(name))?.settings ?? defaultSettings;
  }
}

function patternOf(match: string): RegExp {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${match.split('*').map(literal).join('.*')}$`, 's');
}
