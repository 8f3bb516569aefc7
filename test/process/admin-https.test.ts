import { X509Certificate } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readGatewayFile } from '../../src/edge/gateway-file.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { startGateway } from '../support/gateway-process.ts';
import { httpsRequest } from '../support/https-request.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const password = 'a good password';

test('beyond loopback a gateway is claimed by HTTPS with the code that it printed, and the command line gets through', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const set = ['admin.listen=0.0.0.0:0', 'admin.names=[gw.example]', 'gateway.name=gw1'];
  await using gateway = await startGateway({ dataDir, set });
  const port = Number(gateway.admin.split(':')[1]);
  const certificate = await headwaterProcess(dataDir, ['certificate', '--admin']);
  const ca = certificate.output;
  await expect.poll(() => gateway.stdout()).toContain(new X509Certificate(ca).fingerprint256);
  const printed = /^claim {2}https:\/\/\S+:(\d+)\/#claim=(\S+) /m.exec(gateway.stdout());
  expect(Number(printed?.[1])).toBe(port);
  const shown = await headwaterProcess(dataDir, ['admin', 'claim-code']);
  expect(shown.output.trim()).toBe(printed?.[2]);
  expect((await stat(join(dataDir, 'claim-code'))).mode & 0o777).toBe(0o600);

  const ask = (path: string, options: Partial<Parameters<typeof httpsRequest>[2]> = {}) =>
    httpsRequest(gateway.admin, path, { ca, ...options });
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  expect((await ask('/api/status')).status).toBe(401);
  for (const host of [`gw1:${port}`, `gw1.local:${port}`, `127.0.0.1:${port}`, 'gw.example', 'gw.example:9'])
    expect((await ask('/healthz', { headers: { host } })).status).toBe(200);
  for (const host of [`evil.example:${port}`, 'gw1', '127.0.0.1', `[gw.example]:${port}`])
    expect((await ask('/healthz', { headers: { host } })).status).toBe(403);
  const origin = `https://127.0.0.1:${port}`;
  const claim = { method: 'POST', body: { code: printed?.[2], password } };
  for (const wrong of [origin.replace('https', 'http'), 'https://evil.example'])
    expect((await ask('/api/claim', { ...claim, headers: { origin: wrong } })).status).toBe(403);
  // Nor for a name that a proxy may have: what left here secured does not come from a page that was not.
  const byName = { host: 'gw.example', origin: 'http://gw.example' };
  expect((await ask('/api/claim', { ...claim, headers: byName })).status).toBe(403);
  const claimed = await ask('/api/claim', { ...claim, headers: { origin } });
  expect(claimed.status).toBe(200);
  expect(claimed.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/; Secure$/);
  const cookie = claimed.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  expect((await ask('/api/status', { headers: { cookie } })).status).toBe(200);

  const status = await headwaterProcess(dataDir, ['status']);
  expect(status).toMatchObject({ code: 0, output: expect.stringMatching(/^ {2}admin {4}https:\/\//m) });
  const changed = await headwaterProcess(dataDir, ['admin', 'passwd'], 'another password\n');
  expect(changed).toMatchObject({ code: 0, errors: '' });
  expect((await ask('/api/status', { headers: { cookie } })).status).toBe(401);
  const login = { method: 'POST', body: { password: 'another password' }, headers: { origin } };
  expect((await ask('/api/session', login)).status).toBe(200);
  // After a restart the password counts, and nobody can claim the gateway.
  await gateway.kill('SIGTERM');
  await using again = await startGateway({ dataDir, set });
  expect((await headwaterProcess(dataDir, ['admin', 'claim-code'])).code).toBe(1);
  expect(again.stdout()).not.toContain('claim');
  const port2 = again.admin.split(':')[1];
  const login2 = { ...login, ca, headers: { origin: `https://127.0.0.1:${port2}` } };
  expect((await httpsRequest(again.admin, '/api/session', login2)).status).toBe(200);
  expect(`${gateway.stdout()}${gateway.stderr()}${again.stdout()}`).not.toMatch(/password"|PRIVATE/);
});

test('behind a proxy of this machine that takes HTTPS off, a browser claims the gateway and changes what it may', async () => {
  await using folder = await temporaryFolder();
  const set = ['admin.names=[gw.example]'];
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data'), set });
  const ca = certificateAuthority('ca');
  const { certificate, key } = ca.issue({ name: 'proxy', hosts: ['localhost'] });
  const [host, port] = gateway.admin.split(':');
  const proxy = createServer({ cert: certificate, key }, (incoming, response) => {
    const { method, url: path, headers } = incoming;
    const passed = request({ host, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(passed);
  });
  onTestFinished(() => void proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const ask = (path: string, method: string, headers: Record<string, string>, body?: object) =>
    httpsRequest(address, path, {
      ca: ca.certificate,
      method,
      headers: { host: 'gw.example', ...headers },
      ...(body && { body }),
    });
  const code = await headwaterProcess(gateway.dataDir, ['admin', 'claim-code']);
  const claim = { code: code.output.trim(), password };
  for (const origin of ['https://evil.example', `https://${address}`, 'https://gw.example:1'])
    expect((await ask('/api/claim', 'POST', { origin }, claim)).status).toBe(403);
  const origin = 'https://gw.example';
  const claimed = await ask('/api/claim', 'POST', { origin }, claim);
  expect(claimed.status).toBe(200);
  expect(claimed.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  const cookie = claimed.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const topic = { name: 'made-by-the-page', partitions: 1 };
  expect((await ask('/api/topics', 'POST', { origin, cookie }, topic)).status).toBeLessThan(300);
  expect((await ask('/api/session', 'DELETE', { origin, cookie })).status).toBe(200);
});

test('a certificate that is renewed counts without a restart, also for the command line; one that cannot be used is told', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const ca = certificateAuthority('ca');
  const at = (name: string): string => join(folder.path, name);
  const issue = async (): Promise<string> => {
    const { certificate, key } = ca.issue({ name: 'gw', hosts: ['localhost'] });
    for (const [name, text] of [
      ['key.pem', key],
      ['cert.pem', certificate],
    ] as const) {
      await writeFile(at(`${name}.new`), text, { mode: 0o600 });
      await rename(at(`${name}.new`), at(name));
    }
    return new X509Certificate(certificate).fingerprint256;
  };
  const set = [`admin.tls.certFile=${at('cert.pem')}`, `admin.tls.keyFile=${at('key.pem')}`];
  await using gateway = await startGateway({ dataDir, set });
  const shown = async () => (await readGatewayFile(dataDir))?.adminFingerprint;
  // The files are not there yet: the gateway shows its own certificate, and the command line says what is wrong.
  const own = new X509Certificate(await readFile(join(dataDir, 'mqtt-certificate.pem')));
  expect(await shown()).toBe(own.fingerprint256);
  const unusable = await headwaterProcess(dataDir, ['status']);
  expect(unusable.output).toMatch(/TROUBLE: admin\.tls\.certFile: .*it is not there/);
  for (let times = 0; times < 2; times += 1) {
    const fingerprint = await issue();
    await expect.poll(shown, { timeout: 20_000 }).toBe(fingerprint);
    const answer = await httpsRequest(gateway.admin, '/healthz', { ca: ca.certificate });
    expect(answer.status).toBe(200);
    const status = await headwaterProcess(dataDir, ['status']);
    expect(status.output).toContain(fingerprint);
  }
});
