import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { GatewayUser } from './node-appliance-disk.ts';

/** Who the gateway runs as, by the list of users of the system; null for whoever this is, if it is nobody who may give files away. */
export async function gatewayUserOf(root: string): Promise<GatewayUser | null> {
  if (process.getuid?.() !== 0) return null;
  const passwd = await readFile(join(root, '/etc/passwd'), 'utf8').catch(() => '');
  const [, uid, gid] = /^headwater:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}
