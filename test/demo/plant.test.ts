import { expect, test } from 'vitest';
import { plantSensors, type Sensor, tankLines } from '../../demo/plant.ts';
import { readRecording } from '../../demo/recording.ts';

const recording = await readRecording();
const [machine, ...made] = plantSensors(recording);

const during = ({ readings, fault }: Sensor): readonly number[] =>
  readings
    .filter(({ timeMs }) => fault !== null && timeMs >= fault.fromMs && timeMs < fault.toMs)
    .map(({ value }) => value);

test('the recorded readings are sent as they are', () => {
  expect(machine).toMatchObject({ device: 'machine', fault: null });
  expect(machine?.readings).toBe(recording);
});

test('what is made up is the same in each run', () => {
  expect(plantSensors(recording).slice(1)).toEqual(made);
  expect(tankLines()).toEqual(tankLines());
});

test('each made-up sensor has the fault that is said of it, while it is said to last', () => {
  const [humidity, vibration, pressure] = made.map(during);
  expect([humidity?.length, new Set(humidity).size]).toEqual([72, 1]);
  const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  const healthy = (made[1]?.readings ?? []).slice(0, vibration?.length).map(({ value }) => value);
  expect(spread(vibration ?? [])).toBeGreaterThan(1.5 * spread(healthy));
  expect(Math.max(...(pressure ?? []))).toBeLessThan(6);
});

test('the tank sends lines of JSON, and the value of a broken wire in a few of them', () => {
  const values = tankLines().map((line) => (JSON.parse(line) as { celsius: number }).celsius);
  expect(values.filter((value) => value === -127)).toHaveLength(5);
  expect(values.filter((value) => value !== -127).every((value) => value > 15 && value < 22)).toBe(true);
});
