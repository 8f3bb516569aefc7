import { describe, expect, test } from 'vitest';
import { type FaultKind, gatewayKills, planFaults } from './fault-plan.ts';

const options = { seed: 7, readings: 300_000, faults: 60 };

describe('a plan of faults', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planFaults(options)).toEqual(planFaults(options));
    expect(planFaults({ ...options, seed: 8 })).not.toEqual(planFaults(options));
  });

  test('has as many as are asked for, one after the other, within the readings', () => {
    const faults = planFaults(options);
    expect(faults).toHaveLength(60);
    const times = faults.flatMap(({ at, kills, end }) => [at, ...kills, end]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(300_000);
  });

  test('has every kind, and kills the gateway often while a backlog drains', () => {
    for (const seed of [1, 2, 3]) {
      const faults = planFaults({ ...options, seed });
      const kinds: FaultKind[] = [
        ...(['gateway-kill', 'drain', 'broker-kill', 'broker-stop', 'link-cut'] as const),
        ...(['black-hole', 'black-hole-to-one-broker', 'stalls', 'throttle'] as const),
      ];
      expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(kinds));
      expect(gatewayKills(faults).draining).toBeGreaterThan(15);
    }
  });

  test('has only what is asked for', () => {
    const faults = planFaults({ ...options, kinds: ['broker-stop'] });
    expect(faults.every(({ kind }) => kind === 'broker-stop')).toBe(true);
  });
});
