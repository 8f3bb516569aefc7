import { type AlertLife, stepAlert } from '../../src/anomaly/alerts/alert-machine.ts';
import type { Finding, FindingKind } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';

const subject = { series: 'evaluated', partition: 0, unit: null };
const nothing: ReadonlySet<FindingKind> = new Set();

/** Makes alerts of what is found in one series, as the daemon does: with the delays of each kind. */
export class AlertTracker {
  readonly #lives: Map<FindingKind, AlertLife>;

  constructor(lives: ReadonlyMap<FindingKind, AlertLife> = new Map()) {
    this.#lives = new Map(lives);
  }

  /** One that goes on from here by itself. */
  copy(): AlertTracker {
    return new AlertTracker(this.#lives);
  }

  /** Takes in what was found at a reading: the kinds of the alerts that were raised by it. */
  observe({ timeMs, value }: Reading, findings: readonly Finding[]): ReadonlySet<FindingKind> {
    if (findings.length === 0 && this.#lives.size === 0) return nothing;
    const raised = new Set<FindingKind>();
    const keep = (kind: FindingKind, { life, told }: ReturnType<typeof stepAlert>): void => {
      if (life === null) this.#lives.delete(kind);
      else this.#lives.set(kind, life);
      if (told.some(({ change }) => change === 'raised')) raised.add(kind);
    };
    const reading = { timeMs, value, offset: 0 };
    for (const finding of findings) {
      const found = { type: 'found', subject, model: null, reading, timeMs, finding, standsFor: 0 } as const;
      keep(finding.kind, stepAlert(this.#lives.get(finding.kind) ?? null, found));
    }
    for (const [kind, life] of this.#lives) {
      if (!findings.some((finding) => finding.kind === kind))
        keep(kind, stepAlert(life, { type: 'quiet', timeMs }));
    }
    return raised;
  }
}
