import { sensitivities } from '../../anomaly/detection/reading.ts';
import { detections, type SeriesRule } from '../../anomaly/series/series-settings.ts';
import { limits } from '../../core/limits.ts';
import { isLegalTopicName, ownTopicNames } from '../../core/topic-name.ts';
import { topicChoice } from './name-kinds.ts';
import {
  anyNumber,
  type CheckContext,
  choice,
  duration,
  list,
  section,
  size,
  text,
  wholeNumber,
  yesOrNo,
} from './setting-kinds.ts';

/** `anomaly`: what is looked at, and what is known of it. */
export const anomalySection = () =>
  section({
    enabled: yesOrNo().default(true),
    /** Where readings are looked for; topics of the gateway's own never are. */
    topics: list(topicChoice(), "topic names, or ['*'] for all", limits.partitionsMax).default(['*']),
    /** What is known of series; the first row whose pattern stands for the name of a series counts. */
    series: list(
      section({
        match: seriesPattern(),
        /** Values outside are out of range. */
        min: anyNumber().optional(),
        max: anyNumber().optional(),
        /** Shown behind values. */
        unit: text(
          `a unit of at most ${limits.alertUnitBytesMax} bytes`,
          (unit) => unit !== '' && Buffer.byteLength(unit) <= limits.alertUnitBytesMax,
        ).optional(),
        /** Between two readings; without it what is usual is learned. */
        interval: duration(1, limits.seriesIntervalMsMax).optional(),
        sensitivity: choice(sensitivities).default('normal'),
        /** All detectors, those of sensor faults alone, or none. */
        detect: choice(detections).default('all'),
      }).superRefine(checkRange),
      "series, such as [{ match: '*:temperature', min: -40, max: 85 }]",
      limits.seriesRulesMax,
    ).default([]),
    /** Series that are known at a time. */
    seriesMax: wholeNumber(1, limits.seriesMax, 'series').default(limits.seriesDefault),
    /** How much of what detectors know may be written to the card in a day. */
    stateBytesPerDay: size(limits.stateBytesPerDayMin, limits.stateBytesPerDayMax).default(
      limits.stateBytesPerDayDefault,
    ),
    /** The topic in which other models publish their verdicts. */
    verdicts: text(
      'the name of a topic, but none of the gateway itself',
      (name) => isLegalTopicName(name) && !ownTopicNames.has(name),
    ).optional(),
  }).superRefine(checkTopics);

/** Settings that have passed the checks of {@link anomalySection}. */
export interface AnomalyConfig {
  readonly enabled: boolean;
  readonly topics: readonly string[];
  readonly series: readonly SeriesConfig[];
  readonly seriesMax: number;
  /** Bytes. */
  readonly stateBytesPerDay: number;
  /** Undefined if there are no other models. */
  readonly verdicts?: string | undefined;
}

type SeriesConfig = Pick<SeriesRule, 'match' | 'unit' | 'detect'> & {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Milliseconds. */
  readonly interval?: number | undefined;
  readonly sensitivity: (typeof sensitivities)[number];
};

/** What the configuration says of series, as detection needs it. */
export const seriesRules = ({ series }: AnomalyConfig): readonly SeriesRule[] =>
  series.map(({ match, unit, detect, min, max, interval, sensitivity }) => ({
    match,
    unit,
    detect,
    hints: { min: min ?? null, max: max ?? null, intervalMs: interval ?? null, sensitivity },
  }));

function seriesPattern() {
  const what = `the name of a series, in which * stands for any characters, such as 'readings:sensors/*:temperature', of at most ${limits.seriesPatternLengthMax} characters`;
  return text(what, (pattern) => pattern !== '' && pattern.length <= limits.seriesPatternLengthMax);
}

/** Without one that is to be looked at, nothing is: that is what `enabled` is for. */
function checkTopics({ topics }: Pick<AnomalyConfig, 'topics'>, context: CheckContext): void {
  if (topics.some((topic) => !topic.startsWith('!'))) return;
  const message = "write one topic to look at at least, such as ['*', '!test'], or enabled: false";
  context.addIssue({ code: 'custom', path: ['topics'], message, input: topics });
}

function checkRange({ min, max }: Pick<SeriesConfig, 'min' | 'max'>, context: CheckContext): void {
  if (min === undefined || max === undefined || min < max) return;
  context.addIssue({ code: 'custom', path: ['max'], message: 'write more than min', input: max });
}
