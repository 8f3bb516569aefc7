import { setImmediate } from 'node:timers/promises';

/** Lets whatever is ready run: some turns of the event loop. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}
