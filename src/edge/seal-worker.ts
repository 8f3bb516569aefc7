import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Metrics } from '../core/metrics.ts';
import { runSealJob, type SealJob } from '../log/segments/seal-job.ts';
import { CountedDisk } from '../platform/counted-disk.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import {
  type Addition,
  type PlainError,
  type SealAnswer,
  type SealWorkerData,
  sealFlags,
} from './seal-protocol.ts';

/* The thread that seals: one job at a time, as `WorkerSealer` sends them. */

const { dataDir, flags } = workerData as SealWorkerData;
const port = parentPort;
assert(port !== null, 'this module runs in a thread of its own');

/** One for each counter and its labels, however often it is added to. */
const sums = new Map<string, Addition>();
const metrics: Metrics = {
  add(name, by, labels) {
    const key = JSON.stringify([name, labels]);
    sums.set(key, { name, by: by + (sums.get(key)?.by ?? 0), labels });
  },
  set() {},
  observe() {},
};
const disk = new CountedDisk(new NodeDisk(dataDir), metrics);

giveWay();

port.on('message', (job: SealJob) => {
  void answer(job).then((sealed) => port.postMessage(sealed));
});

async function answer(job: SealJob): Promise<SealAnswer> {
  sums.clear();
  try {
    const result = await runSealJob(disk, job, pace);
    return { result, additions: [...sums.values()] };
  } catch (error) {
    return { error: plainError(error), additions: [...sums.values()] };
  }
}

/** Stands still while a commit is in flight, but not for ever: a log that never pauses must be sealed, too. */
async function pace(): Promise<void> {
  await Atomics.waitAsync(flags, sealFlags.committing, 1, limits.sealYieldMsMax).value;
  if (Atomics.load(flags, sealFlags.aborted) === 1) throw new DOMException('sealing was ended', 'AbortError');
}

function plainError(error: unknown): PlainError {
  const { name, message, code, syscall } = error as Partial<PlainError>;
  const of = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return { name: name ?? 'Error', message: message ?? String(error), code: of(code), syscall: of(syscall) };
}

/** Lets all other threads have the processor first; sealing must not depend on it. */
function giveWay(): void {
  // Linux takes it as that of the calling thread; elsewhere it would be that of the whole process.
  if (process.platform !== 'linux' || getPriority() >= limits.sealThreadNiceness) return;
  try {
    setPriority(limits.sealThreadNiceness);
  } catch {
    // A sandbox may refuse.
  }
}
