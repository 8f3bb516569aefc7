/* How numbers, sizes and times are written for people. Pure: no part of this looks at the document. */

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A whole number, in groups of three digits. @param {number} count */
export const countText = (count) => counts.format(count);

/** The number with its noun. @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${countText(count)} ${count === 1 ? one : many}`;

/** Three digits that say something. @param {number} value */
export function rounded(value) {
  if (Math.abs(value) >= 1000) return countText(value);
  return String(Number(value.toPrecision(3)));
}

/** A rate in so many a second. @param {number} perSecond */
export const rateText = (perSecond) => (perSecond > 0 && perSecond < 0.01 ? '< 0.01' : rounded(perSecond));

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in powers of a thousand. @param {number} bytes */
export function bytesText(bytes) {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), sizes.length - 1);
  return `${rounded(bytes / 1000 ** power)} ${sizes[power]}`;
}

/** @type {readonly (readonly [string, number])[]} */
const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** A time span in its two largest units; from a year on in years. @param {number} seconds */
export function durationText(seconds) {
  if (seconds >= 2 * 365 * 86_400) return `${rounded(seconds / (365.25 * 86_400))} years`;
  const whole = Math.floor(Math.max(0, seconds));
  const first = units.findIndex(([, unit]) => whole >= unit);
  if (first === -1) return '0 s';
  let rest = whole;
  const parts = units.slice(first, first + 2).map(([name, unit]) => {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    return count === 0 ? '' : `${count} ${name}`;
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** How long ago a moment was, by one clock. @param {number} ms @param {number} nowMs */
export function agoText(ms, nowMs) {
  const seconds = (nowMs - ms) / 1000;
  if (seconds < 1.5) return 'just now';
  return `${durationText(seconds)} ago`;
}

/** A measured value as people read it. @param {number | null} value @param {string | null} [unit] */
export function valueText(value, unit = null) {
  if (value === null) return 'no number';
  const size = Math.abs(value);
  const text =
    size !== 0 && (size >= 1e9 || size < 1e-4)
      ? value.toExponential(3)
      : String(Number(value.toPrecision(7)));
  return unit === null || unit === '' ? text : `${text} ${unit}`;
}

/** A limit that was computed: more digits than these would only seem exact. @param {number | null} value */
export const limitText = (value) => (value === null ? '–' : valueText(Number(value.toPrecision(4))));

/** A moment on the clock of whoever looks; with its day if that is another one. @param {number} ms @param {number} nowMs */
export function momentText(ms, nowMs) {
  const moment = new Date(ms);
  const time = moment.toLocaleTimeString('en-GB');
  const isToday = moment.toDateString() === new Date(nowMs).toDateString();
  return isToday ? time : `${moment.toLocaleDateString('en-CA')} ${time}`;
}

/** @type {readonly (readonly [string, number])[]} */
const severityLevels = [
  ['urgent', 800],
  ['high', 600],
  ['medium', 400],
  ['low', 1],
];

/** A severity of OPC UA in a word. @param {number} severity */
export const severityText = (severity) => severityLevels.find(([, from]) => severity >= from)?.[0] ?? 'low';
