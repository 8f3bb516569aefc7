import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { FillForecast } from '../../src/edge/fill-forecast.ts';

const minute = 60_000;
const unknown = { state: 'unknown', secondsLeft: null };
const steady = { state: 'steady', secondsLeft: null };
const filling = (secondsLeft: number) => ({ state: 'filling', secondsLeft });

describe('when the disk budget is reached', () => {
  test('is not known at first', () => {
    const forecast = new FillForecast();
    expect(forecast.until(1000, 0, 0)).toEqual(unknown);
    forecast.look(0, 0);
    expect(forecast.until(1000, limits.fillKnownMs - 1, 500)).toEqual(unknown);
  });

  test('follows from how fast it has filled', () => {
    const forecast = new FillForecast();
    forecast.look(0, 1_000);
    expect(forecast.until(10_000, 60 * minute, 4_000)).toEqual(filling(2 * 3600));
    expect(forecast.until(3_000, 60 * minute, 4_000)).toEqual(filling(0));
  });

  test('is never if nothing fills it', () => {
    const forecast = new FillForecast();
    forecast.look(0, 1_000);
    expect(forecast.until(10_000, 60 * minute, 1_000)).toEqual(steady);
    expect(forecast.until(10_000, 60 * minute, 500)).toEqual(steady);
  });

  test('forgets what is older than a day', () => {
    const forecast = new FillForecast();
    const day = 24 * 60 * minute;
    // A day in which nothing came, then one that brought a byte a minute.
    for (let atMs = 0; atMs <= 2 * day; atMs += minute) forecast.look(atMs, Math.max(0, atMs - day) / minute);
    const fill = forecast.until(3 * 1440, 2 * day, 1440);
    expect(fill.secondsLeft).toBeCloseTo(2 * 24 * 3600, -4);
  });
});
