import { expect, test } from 'vitest';
import { FUZZ_MS_MAX, fuzzProcess } from './mqtt-fuzz-canaries.ts';

/* The short form of `npm run fuzz`, with seeds of its own each time; what it prints says how to play one again. */

test(
  'damaged and misplaced MQTT packets end at most their own connection, and leave nothing behind',
  async () => {
    const { code, output } = await fuzzProcess(3);
    expect(output).toMatch(/goal violations 0, got 0/);
    expect(code).toBe(0);
  },
  FUZZ_MS_MAX,
);
