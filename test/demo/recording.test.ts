import { expect, test } from 'vitest';
import { failure, labelledMoments, readRecording } from '../../demo/recording.ts';

test('the recording is whole: a reading every five minutes, but for an hour whose times come twice', async () => {
  const recording = await readRecording();
  expect(recording).toHaveLength(22_695);
  expect(recording[0]).toEqual({ timeMs: Date.parse('2013-12-02T21:15Z'), value: 73.97 });
  expect(recording.at(-1)).toEqual({ timeMs: Date.parse('2014-02-19T15:25Z'), value: 96.9 });
  const odd = recording.filter(
    ({ timeMs }, index) => index > 0 && timeMs - (recording[index - 1]?.timeMs ?? 0) !== 300_000,
  );
  expect(odd.map(({ timeMs }) => timeMs)).toEqual([Date.parse('2014-01-07T02:00Z')]);
});

test('the failure is the last of the labelled moments, each within the time around it', () => {
  expect(labelledMoments.at(-1)).toBe(failure);
  for (const { fromMs, timeMs, toMs } of labelledMoments)
    expect([fromMs < timeMs, timeMs < toMs]).toEqual([true, true]);
});
