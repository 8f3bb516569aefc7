import { destination, type Level, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { Logger } from '../core/logger.ts';

const STANDARD_ERROR = 2;

/** The service log. */
export interface ServiceLogger extends Logger {
  /** From here on it, and all loggers made of it, write what is of this level or worse. */
  setLevel(level: Level): void;
}

/**
 * A logger that writes one JSON line per call to standard error (or the given file descriptor), at once, so that the
 * last line before a crash is there too. An `error` field is written with its stack and causes.
 */
export function pinoLogger(level: Level, fileDescriptor: number = STANDARD_ERROR): ServiceLogger {
  // Each has a level of its own. Parts have one each, so there are not many.
  const made: { level: string }[] = [];
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
      onChild: (child) => made.push(child),
    },
    destination({ fd: fileDescriptor, sync: true }),
  );
  made.push(logger);
  const setLevel = (next: Level): void => {
    for (const one of made) one.level = next;
  };
  return Object.assign(logger, { setLevel });
}
