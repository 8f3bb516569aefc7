import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLock } from '../../../src/platform/folder-lock.ts';
import { FakeGateway, json, type SessionOptions, session } from './fake-gateway.ts';

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

const inFolder = (words: string[], options: SessionOptions = {}) =>
  session([...words, '--set', `data.dir=${gateway.folder}`], {
    workingDirectory: gateway.folder,
    ...options,
  });
const cli = (...words: string[]) => inFolder(words);

const pump = {
  name: 'pump',
  isImported: false,
  hasPassword: true,
  access: { publish: ['pumps/%u/#', 'state'] },
  clients: { 'pump-1': { subscribe: [] } },
};
const old = { name: 'old', isImported: true, hasPassword: true, access: {}, clients: {} };
const rows = [
  'user old (imported; not logged in yet): publishes everywhere, subscribes everywhere',
  'user pump: publishes pumps/%u/# state, subscribes everywhere',
  '  as client pump-1: subscribes nothing',
  '',
].join('\n');

/** What was asked of the gateway. */
const asked = () =>
  gateway.requests.map(({ method, path, body }) => [method, path, body === '' ? null : JSON.parse(body)]);

describe('users of a running gateway', () => {
  it('are listed for people and for programs', async () => {
    gateway.answer = (_, response) => json(response, 200, { users: [pump, old] });
    expect(await cli('devices', 'list')).toEqual({ code: 0, output: rows, errors: '' });
    expect(JSON.parse((await cli('devices', 'list', '--json')).output)).toEqual({ users: [pump, old] });
    gateway.answer = (_, response) => json(response, 200, { users: [] });
    expect((await cli('devices', 'list')).output).toBe('no users yet\n');
  });

  it('are added with the password from standard input, from a file, or as typed', async () => {
    gateway.answer = (_, response) => json(response, 201, pump);
    const add = ['devices', 'add', 'pump', '--publish', 'a/%c', '--publish', 'b', '--no-subscribe'];
    const added = await inFolder(add, { input: 'sec ret\r\nmore\n' });
    expect(added).toMatchObject({ code: 0, errors: '' });
    expect(added.output).toMatch(/^added user pump: publishes pumps\/%u\/# state, subscribes everywhere\n/);
    await writeFile(join(gateway.folder, 'password'), 'from file\n');
    await cli('devices', 'add', 'valve', '--password-file', 'password');
    const typed = await inFolder(['devices', 'add', 'typed'], {
      isInteractive: true,
      input: new PassThrough().end('hidden\nhidden\n'),
    });
    expect(typed.errors).toBe('Password: \nThe same again: \n');
    expect(asked().map(([, , body]) => body)).toEqual([
      { name: 'pump', password: 'sec ret', access: { publish: ['a/%c', 'b'], subscribe: [] } },
      { name: 'valve', password: 'from file', access: {} },
      { name: 'typed', password: 'hidden', access: {} },
    ]);
  });

  it('are not added without a password', async () => {
    const interactive = (input: string) =>
      inFolder(['devices', 'add', 'a'], { isInteractive: true, input: new PassThrough().end(input) });
    await writeFile(join(gateway.folder, 'long'), 'x'.repeat(2000));
    for (const [answer, message] of [
      [
        await inFolder(['devices', 'add', 'a'], { input: '' }),
        /no password was given; write it to standard input/,
      ],
      [await interactive('geheim\nanders\n'), /the two passwords differ; nothing is changed/],
      [await interactive('geheim\n'), /no password was given; nothing is changed/],
      [await interactive('\u0003'), /no password was given; nothing is changed/],
      [await cli('devices', 'add', 'a', '--password-file', 'none'), /cannot be read: ENOENT/],
      [await cli('devices', 'add', 'a', '--password-file', 'long'), /too long to hold a password/],
    ] as const) {
      expect(answer.code).toBe(1);
      expect(answer.errors).toMatch(message);
      expect(answer.errors).not.toMatch(/geheim|anders/);
    }
    expect(gateway.requests).toEqual([]);
  });

  it('are changed and removed', async () => {
    gateway.answer = (_, response) => json(response, 200, pump);
    await inFolder(['devices', 'passwd', 'pu mp'], { input: 'new\n' });
    await cli('devices', 'set', 'pump', '--publish', 'default', '--subscribe', 'a', '--subscribe', 'b');
    await cli('devices', 'set', 'pump', '--client', 'pump-1', '--no-publish');
    const removed = await cli('devices', 'remove', 'pump');
    expect(removed).toEqual({ code: 0, output: 'removed user pump\n', errors: '' });
    expect(asked()).toEqual([
      ['PATCH', '/api/users/pu%20mp', { password: 'new' }],
      ['PATCH', '/api/users/pump', { access: { publish: null, subscribe: ['a', 'b'] } }],
      ['PATCH', '/api/users/pump', { access: { publish: [] }, clientId: 'pump-1' }],
      ['DELETE', '/api/users/pump', null],
    ]);
  });

  it('are imported from a file of mosquitto_passwd', async () => {
    const hash = `${'A'.repeat(86)}==`;
    await writeFile(join(gateway.folder, 'passwd'), `old:$7$101$c2FsdA==$${hash}\n`);
    gateway.answer = (_, response) => json(response, 200, { added: ['old'], kept: ['pump'] });
    expect(await cli('devices', 'import', 'passwd')).toEqual({
      code: 0,
      output: 'added old; here already, and unchanged: pump\n',
      errors: '',
    });
    const password = { scheme: 'pbkdf2-sha512', iterations: 101, salt: 'c2FsdA==', hash };
    expect(asked()).toEqual([['POST', '/api/users/import', { users: [{ name: 'old', password }] }]]);
    await writeFile(join(gateway.folder, 'plain'), 'a:b\nc:d\n');
    const refused = await cli('devices', 'import', 'plain');
    expect(refused.code).toBe(1);
    expect(refused.errors).toMatch(/^plain: line 1: .*\nplain: line 2: /);
    expect((await cli('devices', 'import', 'none')).errors).toMatch(/none cannot be read: ENOENT/);
  });
});

describe('users of a stopped gateway', () => {
  beforeEach(async () => {
    await gateway.crash();
  });

  it('are added, listed, changed and removed in its data folder', async () => {
    const added = await inFolder(['devices', 'add', 'pump'], { input: 'secret\n' });
    expect(added).toEqual({
      code: 0,
      output: 'added user pump: publishes everywhere, subscribes everywhere\n',
      errors: `no gateway is running: working on the data folder ${gateway.folder} itself\n`,
    });
    expect((await inFolder(['devices', 'passwd', 'pump'], { input: 'new\n' })).code).toBe(0);
    expect((await cli('devices', 'set', 'pump', '--publish', 'a')).output).toBe(
      'user pump: publishes a, subscribes everywhere\n',
    );
    expect((await cli('devices', 'list')).output).toBe('user pump: publishes a, subscribes everywhere\n');
    expect((await cli('devices', 'remove', 'pump')).code).toBe(0);
    expect((await cli('devices', 'list')).output).toBe('no users yet\n');
    expect((await cli('devices', 'remove', 'pump')).errors).toContain('there is no user pump');
  });

  it('can be added before the first start of all', async () => {
    const dataDir = join(gateway.folder, 'new', 'data');
    const words = ['devices', 'add', 'pump', '--set', `data.dir=${dataDir}`];
    expect((await session(words, { input: 'secret\n' })).code).toBe(0);
    expect(JSON.parse(await readFile(join(dataDir, 'users.json'), 'utf8'))).toMatchObject({
      users: [{ name: 'pump' }],
    });
  });

  it('are left alone while something else works on the folder', async () => {
    const lock = FolderLock.take(gateway.folder);
    const { code, errors } = await inFolder(['devices', 'add', 'pump'], { input: 'secret\n' });
    lock?.release();
    expect(code).toBe(1);
    expect(errors).toContain('another command works on it: try again');
  });

  it('that are damaged are kept aside, and told', async () => {
    await writeFile(join(gateway.folder, 'users.json'), '{');
    expect((await inFolder(['devices', 'add', 'pump'], { input: 'secret\n' })).code).toBe(0);
    expect(await readFile(join(gateway.folder, 'users.json.damaged'), 'utf8')).toBe('{');
    await rm(join(gateway.folder, 'users.json'));
    await mkdir(join(gateway.folder, 'users.json'));
    expect((await inFolder(['devices', 'add', 'pump'], { input: 'x\n' })).errors).toContain('move it away');
  });
});
