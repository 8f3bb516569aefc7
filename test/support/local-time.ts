import type { LocalTime } from '../../src/core/local-time.ts';

/** Local time where the clocks are so many milliseconds ahead of UTC, wherever the test runs. */
export function localTimeAt(wallMs: number, aheadMs = 0): LocalTime {
  const text = new Date(wallMs + aheadMs).toISOString();
  const [day = '', time = ''] = text.split('T');
  const [hours = 0, minutes = 0, seconds = 0] = time.replace('Z', '').split(':').map(Number);
  return { day, msOfDay: Math.round((hours * 3600 + minutes * 60 + seconds) * 1000) };
}
