import {
  type DestinationStream,
  destination,
  type Level,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino';
import { KeptLines, type NewestLines } from '../core/kept-lines.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { machineLocalTime } from './local-time.ts';
import type { LogTarget } from './log-target.ts';
import { terminalLine } from './terminal-line.ts';

/** The levels of syslog, by which systemd's journal sorts: `journalctl -p warning`. */
const journalPriorities: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** The service log. */
export interface ServiceLogger extends Logger {
  /** From here on it, and all loggers made of it, write what is of this level or worse. */
  readonly setLevel: (level: Level) => void;
  /** Its newest warnings and errors, as JSON. */
  readonly newest: () => NewestLines;
}

/**
 * A logger that writes one line per call to a file descriptor, at once, so that the last line before a crash is there too: for
 * people on a terminal, else JSON, with a priority before it for systemd's journal. An `error` field is written with its causes and, where
 * somebody wants to know (JSON, or level debug), its stack. What cannot be written, because the disk is full or the reader has gone, is left out.
 */
export function pinoLogger(level: Level, fileDescriptor: number, target: LogTarget): ServiceLogger {
  const plain = destination({ fd: fileDescriptor, sync: true, maxLength: limits.logUnwrittenBytesMax });
  // Without a listener this would end the process.
  plain.on('error', () => {});
  let isDebugging = level === 'debug';
  const kept = new KeptLines();
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    keepingWarnings(
      kept,
      streamTo(plain, target, () => isDebugging),
    ),
  );
  // A child has the level of its parent as long as it is given none of its own.
  const setLevel = (next: Level): void => {
    logger.level = next;
    isDebugging = next === 'debug';
  };
  return Object.assign(logger, { setLevel, newest: () => kept.newest() });
}

/** Also what cannot be written, because the disk is full. */
function keepingWarnings(kept: KeptLines, stream: DestinationStream): DestinationStream {
  const write = (line: string): void => {
    if (isWarning.test(line)) kept.add(line.trimEnd());
    stream.write(line);
  };
  return { write };
}

/** Level is what pino writes first. */
const isWarning = /^\{"level":"(?:warn|error)"/;

function streamTo(
  plain: DestinationStream,
  target: LogTarget,
  isDebugging: () => boolean,
): DestinationStream {
  if (target === 'file') return plain;
  const asShown = target === 'terminal' ? forPeople(isDebugging) : forJournal;
  return { write: (line) => plain.write(asShown(line)) };
}

const forPeople = (isDebugging: () => boolean) => (line: string) =>
  terminalLine(line, machineLocalTime, isDebugging());

function forJournal(line: string): string {
  // What pino writes first.
  const level = /^\{"level":"(\w+)"/.exec(line)?.[1] ?? '';
  return `<${journalPriorities[level] ?? journalPriorities['error']}>${line}`;
}
