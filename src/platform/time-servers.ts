import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { limits } from '../core/limits.ts';

/** The time servers that systemd-timesyncd would ask; none where it does not run. Never rejects. */
export async function timeServers(): Promise<readonly string[]> {
  try {
    const timeout = limits.timedatectlMs;
    return timeServersIn((await promisify(execFile)('timedatectl', ['show-timesync'], { timeout })).stdout);
  } catch {
    return [];
  }
}

/** The same from what `timedatectl show-timesync` prints: those of the network and the administrator, else those that are built in. */
export function timeServersIn(text: string): readonly string[] {
  const serversOf = (property: string): readonly string[] =>
    (new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1] ?? '').split(' ').filter((name) => name !== '');
  const chosen = ['LinkNTPServers', 'SystemNTPServers', 'RuntimeNTPServers'].flatMap(serversOf);
  return chosen.length > 0 ? chosen : serversOf('FallbackNTPServers');
}
