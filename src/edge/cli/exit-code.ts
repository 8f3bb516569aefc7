import { isOperatingError } from '../../core/errors.ts';

/** What the command line ends with (design §8). */
export const exitCodes = { ok: 0, failed: 1, usage: 2, noGateway: 3, degraded: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code for an error that a user can mend; undefined for one of ours. */
export function exitCodeFor(error: unknown): ExitCode | undefined {
  if (!isOperatingError(error)) return undefined;
  if (error.code === 'bad-configuration') return exitCodes.usage;
  return error.code === 'gateway-not-running' ? exitCodes.noGateway : exitCodes.failed;
}
