import type { ReadLocalTime } from '../core/local-time.ts';
import { visibleText } from '../core/visible-text.ts';

/** One line of the log as pino writes it. */
interface LogLine {
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** An error as pino writes it: its message has those of its causes behind it. */
interface LoggedError {
  readonly message: string;
  readonly stack: string;
}

/** What says where a line comes from, in the order in which it is shown. */
const places = ['part', 'lane', 'port', 'bus', 'source'];

/**
 * A JSON line of the log as a person reads it: local time, level, where it comes from, message, and the other fields as
 * name=value. What could steer the terminal is escaped: names and messages come from devices as well.
 * @param withStacks whether stacks of errors follow, on indented lines of their own
 */
export function terminalLine(json: string, localTime: ReadLocalTime, withStacks: boolean): string {
  const { level, time, message, ...fields } = JSON.parse(json) as LogLine;
  const place = places.flatMap((name) => (name in fields ? [String(fields[name])] : [])).join(' ');
  const others = Object.entries(fields).filter(([name]) => !places.includes(name));
  const stacks = withStacks ? others.flatMap(([, value]) => (isError(value) ? [value.stack] : [])) : [];
  const text = [
    `${shownTime(Date.parse(time), localTime)} ${level.padEnd('error'.length)} ${place === '' ? '' : `${place}: `}${message}`,
    ...others.map(([name, value]) => `${name}=${shownValue(value)}`),
  ].join(' ');
  const lines = [text, ...stacks.flatMap((stack) => stack.split('\n').map((line) => `    ${line}`))];
  return `${lines.map(visibleText).join('\n')}\n`;
}

function shownTime(wallMs: number, localTime: ReadLocalTime): string {
  const { day, msOfDay } = localTime(wallMs);
  return `${day} ${new Date(msOfDay).toISOString().slice('1970-01-01T'.length, -1)}`;
}

function shownValue(value: unknown): string {
  if (isError(value)) return JSON.stringify(value.message);
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w./:@%+*#$~-]+$/.test(value) ? value : JSON.stringify(value);
}

const isError = (value: unknown): value is LoggedError =>
  typeof value === 'object' &&
  value !== null &&
  'message' in value &&
  'stack' in value &&
  typeof value.message === 'string' &&
  typeof value.stack === 'string';
