import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AdminClient } from '../../../src/edge/cli/admin-client.ts';
import { writeGatewayFile } from '../../../src/edge/gateway-file.ts';
import { replaceFile } from '../../../src/platform/data-folder.ts';
import { certificateAuthority } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { certificate, key } = certificateAuthority('elsewhere').issue({ name: 'gw' });
const { fingerprint256 } = new X509Certificate(certificate);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let requests: string[];
const server = createServer({ cert: certificate, key }, (request, response) => {
  requests.push(`${request.headers.host} ${request.headers.authorization}`);
  response.end('{"ok":true}');
});

beforeEach(async () => {
  folder = await temporaryFolder();
  requests = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await folder[Symbol.asyncDispose]();
});

async function clientOf(host: string, adminFingerprint: string | null): Promise<AdminClient> {
  const { port } = server.address() as AddressInfo;
  const none = { mqtt: null, mqtts: null, ws: null, wss: null };
  await writeGatewayFile(folder.path, { pid: 1, ...none, admin: `${host}:${port}`, adminFingerprint });
  await replaceFile(`${folder.path}/admin.token`, 'secret\n', 0o600);
  return await AdminClient.find(folder.path);
}

test('a gateway that listens at all addresses is found, and known by its certificate, whoever signed it', async () => {
  const client = await clientOf('0.0.0.0', fingerprint256);
  expect(await client.json('GET', '/api/status')).toEqual({ ok: true });
  const { port } = server.address() as AddressInfo;
  expect(requests).toEqual([`127.0.0.1:${port} Bearer secret`]);
});

test('whoever shows another certificate is not given the token', async () => {
  const client = await clientOf('127.0.0.1', fingerprint256.replace(/^../, '00'));
  await expect(client.json('GET', '/api/status')).rejects.toMatchObject({
    code: 'gateway-unreachable',
    message: expect.stringContaining(`another certificate (SHA-256 ${fingerprint256})`),
  });
  expect(requests).toEqual([]);
});

test('a gateway that has gone is not running, by HTTPS as well', async () => {
  const client = await clientOf('127.0.0.1', fingerprint256);
  server.close();
  await once(server, 'close');
  await expect(client.json('GET', '/api/status')).rejects.toMatchObject({ code: 'gateway-not-running' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
