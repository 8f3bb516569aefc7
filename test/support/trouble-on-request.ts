import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded with `node --import` into a gateway: while the file `hang`, `full` or `freeze` is in the folder that HEADWATER_TROUBLE
 * names, syncs of files do not return, fail for want of room, or the event loop stands still. So the product has no switch for that.
 */
const folder = process.env['HEADWATER_TROUBLE'] ?? '';
const pollMs = 10;
const is = (trouble: string): boolean => existsSync(`${folder}/${trouble}`);

const handle = await open('/dev/null');
const prototype = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
await handle.close();
const { datasync } = prototype;
prototype.datasync = async function () {
  while (is('hang')) await sleep(pollMs);
  if (is('full'))
    throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'fdatasync' });
  await datasync.call(this);
};

if (isMainThread)
  setInterval(() => {
    while (is('freeze'));
  }, pollMs).unref();
