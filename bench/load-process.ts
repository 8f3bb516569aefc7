import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Load, LoadMessage } from './ingest-load.ts';

/** A load in a process of its own. */
export function startLoad(load: Load): ChildProcess {
  return fork(join(import.meta.dirname, 'ingest-load.ts'), [JSON.stringify(load)]);
}

/** What the load tells next. Rejects if it ends instead. */
export async function nextOf(child: ChildProcess): Promise<LoadMessage> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the load ended early, with ${code}`);
  });
  const [received] = await Promise.race([once(child, 'message'), ended]);
  return received as LoadMessage;
}
