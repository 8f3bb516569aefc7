import { destination, type Level, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { Logger } from '../core/logger.ts';

const STANDARD_ERROR = 2;

/**
 * A logger that writes one JSON line per call to standard error (or the given file descriptor), at once, so that the
 * last line before a crash is there too. An `error` field is written with its stack and causes.
 */
export function pinoLogger(level: Level, fileDescriptor: number = STANDARD_ERROR): Logger {
  return pino(
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
}
