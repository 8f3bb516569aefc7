import process from 'node:process';
import { BoundedLogger } from '../core/bounded-logger.ts';
import { logTargetOf } from '../platform/log-target.ts';
import { nodeClock } from '../platform/node-clock.ts';
import { pinoLogger, type ServiceLogger } from '../platform/pino-logger.ts';
import type { Config } from './config/schema.ts';

const STANDARD_ERROR = 2;

/** The service log of this process, on standard error: for whoever reads there, and bounded whatever fails how often. */
export function serviceLog(level: Config['log']['level']): ServiceLogger {
  const target = logTargetOf(STANDARD_ERROR, process.env['JOURNAL_STREAM']);
  const logger = pinoLogger(level, STANDARD_ERROR, target);
  return Object.assign(new BoundedLogger(logger, nodeClock), {
    setLevel: logger.setLevel,
    newest: logger.newest,
  });
}
