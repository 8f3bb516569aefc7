import { describe, expect, test } from 'vitest';
import { allDetectors } from '../../src/anomaly/all-detectors.ts';
import type { Finding } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import type { SeriesState } from '../../src/anomaly/detection/series-state.ts';
import { defaultSettings, type SeriesSettings } from '../../src/anomaly/series/series-settings.ts';
import { SimRandom } from '../support/sim-random.ts';

const KIB = 1024;
const minute = 60_000;
const readingsPerDay = 288;

/** A temperature with the course of a day, for four weeks; then something happens. */
function readings(last: readonly number[]): Reading[] {
  const random = new SimRandom(3);
  const healthy = Array.from(
    { length: 28 * readingsPerDay },
    (_, index) => 20 + 3 * Math.sin((index / readingsPerDay) * 2 * Math.PI) + random.next(),
  );
  return [...healthy, ...last].map((value, index) => ({
    timeMs: 1_700_000_000_000 + index * 5 * minute,
    value,
    sourceTimeMs: null,
  }));
}

function findings(
  all: readonly Reading[],
  settings: SeriesSettings = defaultSettings,
  state: SeriesState = allDetectors.newState(),
): Finding[] {
  return all.flatMap((reading) => [...allDetectors.observe(state, reading, settings)]);
}

describe('all detectors together', () => {
  test('find both the named faults and what is only unusual', () => {
    const kinds = new Set(findings(readings([-127, 35, 35.5, 35, 36, 35])).map(({ kind }) => kind));
    expect(kinds).toContain('sentinel');
    expect(kinds).toContain('unusual');
  });

  test('leave out what is only unusual where the configuration wants named faults alone', () => {
    const faults: SeriesSettings = { ...defaultSettings, detect: 'faults' };
    const kinds = new Set(findings(readings([-127, 35, 35.5, 35, 36, 35]), faults).map(({ kind }) => kind));
    expect(kinds).toContain('sentinel');
    expect(kinds).not.toContain('unusual');
  });

  test('do not learn from what is no measurement', () => {
    const [healthy, disturbed] = [allDetectors.newState(), allDetectors.newState()];
    const all = readings([]);
    findings(all, defaultSettings, healthy);
    findings(all, defaultSettings, disturbed);
    const last = all.at(-1);
    if (last === undefined) throw new Error('no readings');
    const sentinel = { ...last, timeMs: last.timeMs + 5 * minute, value: -127 };
    const next = { ...last, timeMs: last.timeMs + 10 * minute };
    expect(findings([sentinel], defaultSettings, disturbed).map(({ kind }) => kind)).toEqual(['sentinel']);
    expect(findings([next], defaultSettings, disturbed)).toEqual(findings([next], defaultSettings, healthy));
  });

  test('go on after a restart as if there had been none, with a state that is small', () => {
    const all = readings([60, 20, 20, 20, 20]);
    const state = allDetectors.newState();
    expect(state.bytes.length).toBeLessThanOrEqual(12 * KIB);
    const cut = all.length - 200;
    findings(all.slice(0, cut), defaultSettings, state);
    const restored = allDetectors.restoredState(state.bytes.slice());
    if (restored === undefined) throw new Error('not restored');
    const rest = all.slice(cut);
    expect(findings(rest, defaultSettings, restored)).toEqual(findings(rest, defaultSettings, state));
    expect(restored.bytes).toEqual(state.bytes);
    expect(allDetectors.restoredState(state.bytes.slice(1))).toBeUndefined();
  });

  test('know after how long a series is missed', () => {
    const state = allDetectors.newState();
    expect(allDetectors.silentAfterMs(state, defaultSettings)).toBe(Number.POSITIVE_INFINITY);
    findings(readings([]), defaultSettings, state);
    expect(allDetectors.silentAfterMs(state, defaultSettings)).toBeLessThan(60 * minute);
  });
});
