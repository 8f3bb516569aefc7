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
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    destination({ fd: fileDescriptor, sync: true }),
  );
  // A child has the level of its parent as long as it is given none of its own.
  const setLevel = (next: Level): void => {
    logger.level = next;
  };
  return Object.assign(logger, { setLevel });
}
