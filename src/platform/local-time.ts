import type { LocalTime } from '../core/local-time.ts';

/** By the machine's time zone, as it was when the process was started. */
export function machineLocalTime(wallMs: number): LocalTime {
  const date = new Date(wallMs);
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  const minutes = date.getHours() * 60 + date.getMinutes();
  return {
    day: `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`,
    msOfDay: (minutes * 60 + date.getSeconds()) * 1000 + date.getMilliseconds(),
  };
}

const padded = (number: number, digits: number): string => String(number).padStart(digits, '0');
