import { describe, expect, test } from 'vitest';
import { OperatingError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { type Request, requestBytesMax } from '../../src/log/commits/commit-plan.ts';
import { CommitQueue, type Waiting } from '../../src/log/commits/commit-queue.ts';
import { SimClock } from '../support/sim-clock.ts';

const request = (name: string): Request => ({
  kind: 'topic',
  name,
  partitions: 1,
  grow: false,
  settings: {},
});
const nameOf = ({ request }: Waiting): string => (request.kind === 'topic' ? request.name : '');
const accept = (waiting: readonly Waiting[]): void => {
  for (const one of waiting) one.settle({ appended: [] });
};

/** A queue whose commits take `commitMs` and are recorded with their start. */
function recorded(intervalMs: number, commitMs: number) {
  const clock = new SimClock();
  const commits: { startMs: number; names: string[] }[] = [];
  let inFlight = 0;
  const queue = new CommitQueue(clock, intervalMs, async (waiting) => {
    inFlight += 1;
    expect(inFlight).toBe(1);
    commits.push({ startMs: clock.monotonicMs(), names: waiting.map(nameOf) });
    if (commitMs > 0) await clock.sleep(commitMs);
    inFlight -= 1;
    accept(waiting);
  });
  return { clock, commits, queue };
}

describe('the commit queue', () => {
  test('commits at once after a pause, and then at least the interval apart', async () => {
    const { clock, commits, queue } = recorded(20, 5);
    await clock.sleep(1000);
    await queue.push(request('a'), 1);
    await queue.push(request('b'), 1);
    await queue.push(request('c'), 1);
    await clock.sleep(1000);
    await queue.push(request('d'), 1);
    const starts = commits.map(({ startMs }) => startMs);
    expect(starts).toEqual([1000, 1020, 1040, 2045]);
  });

  test('has one commit in flight; what arrives meanwhile is the next one, in its order', async () => {
    const { clock, commits, queue } = recorded(0, 10);
    const first = [queue.push(request('a'), 1), queue.push(request('b'), 1)];
    while (commits.length === 0) await Promise.resolve();
    const second = ['c', 'd', 'e'].map((name) => queue.push(request(name), 1));
    await Promise.all([...first, ...second]);
    expect(commits).toEqual([
      { startMs: 0, names: ['a', 'b'] },
      { startMs: 10, names: ['c', 'd', 'e'] },
    ]);
    expect(clock.monotonicMs()).toBe(20);
  });

  test('puts no more into a commit than a frame holds', async () => {
    const { commits, queue } = recorded(0, 0);
    const half = requestBytesMax / 2;
    await Promise.all([
      queue.push(request('a'), half),
      queue.push(request('b'), half),
      queue.push(request('c'), 1),
      queue.push(request('d'), requestBytesMax),
    ]);
    expect(commits.map(({ names }) => names)).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  test('refuses what would wait above the limit, and takes it again later', async () => {
    const { queue } = recorded(0, 0);
    const count = Math.floor(limits.pendingBytesMax / requestBytesMax);
    const waiting = Array.from({ length: count }, (_, index) =>
      queue.push(request(`t${index}`), requestBytesMax),
    );
    await expect(queue.push(request('over'), requestBytesMax)).rejects.toMatchObject({
      code: 'log-overloaded',
      message: expect.stringMatching(/offer the same records again later/),
    });
    await Promise.all(waiting);
    await queue.push(request('over'), requestBytesMax);
  });

  test('commits first what was put back', async () => {
    const commits: string[][] = [];
    const queue: CommitQueue = new CommitQueue(new SimClock(), 0, async (waiting) => {
      commits.push(waiting.map(nameOf));
      await Promise.resolve();
      if (commits.length > 1) return accept(waiting);
      late.push(queue.push(request('c'), 1));
      queue.putBack(waiting);
    });
    const late: Promise<unknown>[] = [];
    await Promise.all([queue.push(request('a'), 1), queue.push(request('b'), 1)]);
    await Promise.all(late);
    expect(commits).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  test('refuses everything that waits, in one go', async () => {
    const refused = new OperatingError('log-unavailable', 'the disk is gone');
    const queue: CommitQueue = new CommitQueue(new SimClock(), 0, (waiting) => {
      queue.putBack(waiting);
      queue.refuseAll(refused);
      return Promise.resolve();
    });
    const results = await Promise.allSettled([queue.push(request('a'), 1), queue.push(request('b'), 1)]);
    expect(results).toEqual([
      { status: 'rejected', reason: refused },
      { status: 'rejected', reason: refused },
    ]);
    await queue.settled();
  });
});
