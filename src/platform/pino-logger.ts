import {
  type DestinationStream,
  destination,
  type Level,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { machineLocalTime } from './local-time.ts';
import type { LogTarget } from './log-target.ts';
import { terminalLine } from './terminal-line.ts';

/** The levels of syslog, by which systemd's journal sorts: `journalctl -p warning`. */
const journalPriorities: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/**
 * A logger that writes one line per call to a file descriptor, at once, so that the last line before a crash is there too: for
 * people on a terminal, else JSON, with a priority before it for systemd's journal. An `error` field is written with its causes and, where
 * somebody wants to know (JSON, or level debug), its stack. What cannot be written, because the disk is full or the reader has gone, is left out.
 */
export function pinoLogger(level: Level, fileDescriptor: number, target: LogTarget): Logger {
  const plain = destination({ fd: fileDescriptor, sync: true, maxLength: limits.logUnwrittenBytesMax });
  // Without a listener this would end the process.
  plain.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    streamTo(plain, target, level),
  );
}

function streamTo(plain: DestinationStream, target: LogTarget, level: Level): DestinationStream {
  if (target === 'file') return plain;
  const asShown = target === 'terminal' ? forPeople(level) : forJournal;
  return { write: (line) => plain.write(asShown(line)) };
}

const forPeople = (level: Level) => (line: string) => terminalLine(line, machineLocalTime, level === 'debug');

function forJournal(line: string): string {
  // What pino writes first.
  const level = /^\{"level":"(\w+)"/.exec(line)?.[1] ?? '';
  return `<${journalPriorities[level] ?? journalPriorities['error']}>${line}`;
}
