import { isOperatingError } from '../../core/errors.ts';

/** What the command line ends with (design §8). */
export const exitCodes = { ok: 0, failed: 1, usage: 2, noGateway: 3, degraded: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each of them says, for the manual page. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'Everything went well.',
  failed: 'Something failed, or a check has found something wrong. Standard error says what to do.',
  usage: 'The command line or the configuration is wrong, or the gateway could not start.',
  noGateway: 'No gateway is running on the data folder.',
  degraded: 'The gateway is running, but degraded.',
};

/** The exit code for an error that a user can mend; undefined for one of ours. */
export function exitCodeFor(error: unknown): ExitCode | undefined {
  if (!isOperatingError(error)) return undefined;
  if (error.code === 'bad-configuration') return exitCodes.usage;
  return error.code === 'gateway-not-running' ? exitCodes.noGateway : exitCodes.failed;
}
