import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { limits } from '../core/limits.ts';

/** What says whether the wall clock is right. */
export interface TimeService {
  /** Whether systemd-timesyncd runs here, and if so whether it has set the clock. */
  timesyncd(): Promise<'set' | 'unset' | 'absent'>;
  /** What `timedatectl` says of any time service; undefined without it. */
  timedatectl(): Promise<boolean | undefined>;
}

/** The machine's own. `/run/systemd/timesync/synchronized` exists once timesyncd has heard from a server. */
export const systemTimeService: TimeService = {
  async timesyncd() {
    if (await exists('/run/systemd/timesync/synchronized')) return 'set';
    return (await exists('/run/systemd/timesync')) ? 'unset' : 'absent';
  },
  async timedatectl() {
    try {
      const args = ['show', '--property=NTPSynchronized', '--value'];
      const { stdout } = await promisify(execFile)('timedatectl', args, { timeout: limits.timedatectlMs });
      return stdout.trim() === 'yes';
    } catch {
      return undefined;
    }
  },
};

/**
 * Whether the wall clock is known to be right. Where nothing looks after the clock, as in a container, it is the host's
 * and counts as right.
 */
export async function isClockSet(service: TimeService): Promise<boolean> {
  const timesyncd = await service.timesyncd();
  if (timesyncd === 'set') return true;
  return (await service.timedatectl()) ?? timesyncd === 'absent';
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
