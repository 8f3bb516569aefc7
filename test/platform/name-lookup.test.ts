import { expect, test } from 'vitest';
import { answerFor, type LookUp, machineLookUp } from '../../src/platform/name-lookup.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'getaddrinfo' });

const asked = (lookUp: LookUp, timeoutMs = 60_000) =>
  answerFor('kafka1', { lookUp, clock: nodeClock, timeoutMs });

test('a name is looked up as connections do it', async () => {
  const found = await answerFor('localhost', { lookUp: machineLookUp, clock: nodeClock, timeoutMs: 10_000 });
  expect(found).toContain('127.0.0.1');
});

test('a name that nobody knows is told from nobody who answers', async () => {
  expect(await asked(() => Promise.reject(systemError('ENOTFOUND')))).toBe('unknown');
  expect(await asked(() => Promise.reject(systemError('EAI_AGAIN')))).toBe('no-answer');
});

test('an answer that never comes is not waited for longer than told', async () => {
  expect(await asked(() => new Promise(() => undefined), 1)).toBe('no-answer');
});
