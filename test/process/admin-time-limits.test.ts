import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { startGateway } from '../support/gateway-process.ts';
import { rawExchange } from '../support/raw-http.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a request whose headers do not end is answered 408 and closed, and others are served meanwhile', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const port = Number(gateway.admin.split(':')[1]);
  const startedMs = performance.now();
  const slow = rawExchange(port, `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx: `);
  expect((await gateway.api('/healthz')).status).toBe(200);
  expect((await slow).status).toBe(408);
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThan(limits.adminHeadersTimeoutMs - 100);
  expect(tookMs).toBeLessThan(limits.adminHeadersTimeoutMs + 5_000);
});
