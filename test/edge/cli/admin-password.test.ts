import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderLock } from '../../../src/platform/folder-lock.ts';
import { FakeGateway, json, type SessionOptions, session } from './fake-gateway.ts';

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

const admin = (words: string[], options: SessionOptions = {}) =>
  session(['admin', ...words, '--set', `data.dir=${gateway.folder}`], {
    workingDirectory: gateway.folder,
    ...options,
  });
const inFolder = (name: string): string => join(gateway.folder, name);

test('the password of a running gateway is set from a file or standard input', async () => {
  gateway.answer = (_, response) => json(response, 200, { state: 'closed' });
  await writeFile(inFolder('secret'), 'from a file\n');
  expect(await admin(['passwd', '--password-file', 'secret'])).toMatchObject({ code: 0, errors: '' });
  expect((await admin(['passwd'], { input: 'from input\n' })).output).toMatch(/has to log in again/);
  expect(gateway.requests).toEqual([
    { method: 'POST', path: '/api/password', body: '{"password":"from a file"}' },
    { method: 'POST', path: '/api/password', body: '{"password":"from input"}' },
  ]);
  expect(await admin(['passwd'])).toMatchObject({ code: 1, errors: expect.stringContaining('no password') });
});

test('what the gateway refuses is said', async () => {
  gateway.answer = (_, response) =>
    json(response, 400, { error: { code: 'bad-input', message: 'choose another one' } });
  expect(await admin(['passwd'], { input: 'x\n' })).toMatchObject({
    code: 1,
    errors: 'choose another one\n',
  });
});

test('that of a stopped gateway is set in its folder, which nobody can start on meanwhile', async () => {
  await gateway.crash();
  await writeFile(inFolder('claim-code'), 'ABCD\n');
  expect(await admin(['passwd'], { input: 'short\n' })).toMatchObject({ code: 1 });
  expect(existsSync(inFolder('admin.json'))).toBe(false);
  const set = await admin(['passwd'], { input: 'long enough\n' });
  expect(set).toMatchObject({ code: 0, errors: expect.stringContaining('working on the data folder') });
  expect(await readFile(inFolder('admin.json'), 'utf8')).toContain('"scheme":"scrypt"');
  expect(existsSync(inFolder('claim-code'))).toBe(false);
  const lock = FolderLock.take(gateway.folder);
  expect(await admin(['passwd'], { input: 'long enough\n' })).toMatchObject({
    code: 1,
    errors: expect.stringContaining('try again'),
  });
  lock?.release();
});

test('the claim code is printed; without a running gateway with a note that it will change', async () => {
  expect(await admin(['claim-code'])).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/there is no code: .*headwater admin passwd/),
  });
  await writeFile(inFolder('claim-code'), 'ABCD-EFGH\n');
  expect(await admin(['claim-code'])).toEqual({ code: 0, output: 'ABCD-EFGH\n', errors: '' });
  await rm(inFolder('gateway.json'));
  expect((await admin(['claim-code'])).errors).toMatch(/next start makes another/);
});
