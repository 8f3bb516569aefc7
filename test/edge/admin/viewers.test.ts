import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { Viewers } from '../../../src/edge/admin/viewers.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** The answer to a viewer, who reads or does not. */
class Answer extends EventEmitter {
  readonly events: string[] = [];
  writableLength = 0;
  isReading = true;
  isEnded = false;
  isDestroyed = false;

  writeHead(): void {}
  flushHeaders(): void {}

  write(event: string): boolean {
    this.events.push(event);
    if (!this.isReading) this.writableLength += event.length;
    return true;
  }

  end(): void {
    this.isEnded = true;
    this.emit('close');
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

function site(frame: () => object = () => ({})) {
  const manual = new ManualClock();
  const clock = {
    /** Lets time pass a second at a time, and what is to happen then happen. */
    pass: async (ms: number): Promise<void> => {
      for (let left = ms; ; left -= limits.viewerFrameMs) {
        await setImmediate();
        if (left <= 0) return;
        manual.pass(Math.min(left, limits.viewerFrameMs));
      }
    },
  };
  const stopping = new AbortController();
  let frames = 0;
  const viewers = new Viewers(
    async () => {
      frames += 1;
      return await Promise.resolve({ frame: frames, ...frame() });
    },
    manual,
    stopping.signal,
  );
  const look = (): Answer => {
    const answer = new Answer();
    viewers.add({ raw: answer as unknown as ServerResponse, hijack: () => undefined });
    return answer;
  };
  return { clock, stopping, viewers, look, frames: () => frames };
}

const second = limits.viewerFrameMs;

describe('those who look at the gateway', () => {
  test('get a frame at once, then one a second, made once for all of them', async () => {
    const { clock, look, frames } = site();
    const [one, other] = [look(), look()];
    await clock.pass(0);
    const begun = frames();
    await clock.pass(5 * second);
    expect(frames() - begun).toBe(5);
    expect(one.events).toEqual(other.events);
    expect(one.events.at(-1)).toBe(`data: {"frame":${frames()}}\n\n`);
    const late = look();
    await clock.pass(0);
    expect(late.events).toHaveLength(1);
  });

  test('cost nothing when they have gone', async () => {
    const { clock, look, frames, viewers } = site();
    look().end();
    await clock.pass(2 * second);
    const before = frames();
    await clock.pass(60 * second);
    expect(frames()).toBe(before);
    expect(viewers.count).toBe(0);
    look();
    await clock.pass(0);
    expect(frames()).toBe(before + 1);
  });

  test('are bounded in number', () => {
    const { look } = site();
    for (let count = 0; count < limits.viewersMax; count += 1) look();
    expect(look).toThrow(expect.objectContaining({ code: 'too-many-readers' }));
  });

  test('one that does not read misses frames, takes bounded memory, and is cut off; the others go on', async () => {
    const { clock, look } = site(() => ({ text: 'x'.repeat(100_000) }));
    const [slow, quick] = [look(), look()];
    slow.isReading = false;
    await clock.pass(10 * second);
    expect(slow.writableLength).toBeLessThanOrEqual(limits.viewerPendingBytesMax);
    expect(slow.writableLength).toBeGreaterThan(0);
    expect(quick.events.length).toBeGreaterThan(slow.events.length);
    expect(slow.isDestroyed).toBe(false);
    await clock.pass(limits.viewerStallMsMax + second);
    expect(slow.isDestroyed).toBe(true);
    const before = quick.events.length;
    await clock.pass(second);
    expect(quick.events.length).toBe(before + 1);
  });

  test('are let go when the server stops', async () => {
    const { clock, look, stopping } = site();
    const viewer = look();
    await clock.pass(second);
    stopping.abort();
    expect(viewer.isEnded).toBe(true);
  });
});
