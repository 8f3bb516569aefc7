import { join } from 'node:path';
import { expect, test } from 'vitest';
import { caughtCanaries } from '../fuzz/http-canaries.ts';
import { fuzzHttp } from '../fuzz/http-fuzz.ts';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the gateway survives a thousand strange requests, and serves nobody who has no credential', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const { wrong, requests, messages } = await fuzzHttp(gateway, 1, 1000);
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThanOrEqual(1000);
  expect(messages).toBeGreaterThan(1);
});

test('what a gateway with a bug would answer is told', () => {
  const { planted, caught } = caughtCanaries();
  expect(caught).toBe(planted);
});
