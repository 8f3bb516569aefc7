import { describe, expect, test } from 'vitest';
import { RateWindow } from '../../../src/edge/page/rates.js';

describe('rates', () => {
  test('are not known from one look', () => {
    const rates = new RateWindow();
    expect(rates.totalPerSecond()).toBeNull();
    rates.add(5, { mqtt: 100 });
    expect(rates.perSecond('mqtt')).toBeNull();
    expect(rates.totalPerSecond()).toBeNull();
  });

  test('are of the last ten seconds: what came before does not count, and a rate goes back to 0', () => {
    const rates = new RateWindow();
    for (let second = 0; second <= 30; second += 1)
      rates.add(second, { mqtt: 40 * Math.min(second, 15), serial: second });
    expect(rates.perSecond('mqtt')).toBe(0);
    expect(rates.perSecond('serial')).toBe(1);
    expect(rates.totalPerSecond()).toBe(1);
    expect(rates.perSecond('modbus')).toBe(0);
  });

  test('count a source from when it first had something', () => {
    const rates = new RateWindow();
    rates.add(0, {});
    rates.add(2, { mqtt: 10 });
    expect(rates.perSecond('mqtt')).toBe(5);
    expect(rates.totalPerSecond()).toBe(5);
  });

  test('begin anew with the counters, after a restart of the gateway', () => {
    const rates = new RateWindow();
    rates.add(100, { mqtt: 5_000 });
    rates.add(101, { mqtt: 5_050 });
    rates.add(1, { mqtt: 3 });
    expect(rates.perSecond('mqtt')).toBeNull();
    rates.add(2, { mqtt: 13 });
    expect(rates.perSecond('mqtt')).toBe(10);
    // Back so soon that the time alone does not tell.
    rates.add(3, { mqtt: 1 });
    expect(rates.perSecond('mqtt')).toBeNull();
  });
});
