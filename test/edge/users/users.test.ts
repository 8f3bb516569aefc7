import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { PasswordHasher } from '../../../src/edge/users/password-hash.ts';
import type { User } from '../../../src/edge/users/user.ts';
import { Users } from '../../../src/edge/users/users.ts';
import { usersFileText } from '../../../src/edge/users/users-file.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const hasher = new PasswordHasher(new SimRandom(1), { n: 16, r: 1, p: 1 });
const open = (folder: string): Promise<Users> => Users.open(folder, hasher);
const fileIn = (folder: string): string => join(folder, 'users.json');
const pbkdf2 = { scheme: 'pbkdf2-sha512', iterations: 101, salt: 'AAAA', hash: 'AAAA' } as const;

async function isRight(users: Users, name: string, password: string): Promise<boolean> {
  return (await hasher.verify(users.find(name)?.password ?? null, Buffer.from(password))).isRight;
}

test('users are there again after a start, and only the gateway may read their file, which holds no password', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  expect([users.isUnused, users.count]).toEqual([true, 0]);
  await users.add({ name: 'pump', password: 'geheim', access: { publish: ['pumps/%c'] } });
  await users.add({ name: 'valve', password: 'other' });
  await users.change('pump', { access: { subscribe: [] }, clientId: '__proto__' });
  await users.change('pump', { access: { publish: ['x'] }, clientId: 'constructor' });
  const again = await open(folder.path);
  expect([again.isUnused, again.count, again.problem]).toEqual([false, 2, null]);
  expect(await again.list()).toEqual(await users.list());
  expect(again.find('pump')?.clients).toEqual(
    Object.fromEntries([
      ['__proto__', { subscribe: [] }],
      ['constructor', { publish: ['x'] }],
    ]),
  );
  expect(await isRight(again, 'pump', 'geheim')).toBe(true);
  expect(await isRight(again, 'pump', 'other')).toBe(false);
  expect((await stat(fileIn(folder.path))).mode & 0o777).toBe(0o600);
  expect(await readFile(fileIn(folder.path), 'utf8')).not.toMatch(/geheim/);
  expect(JSON.stringify(await users.list())).not.toContain(users.find('pump')?.password?.hash);
  const scram = again.find('pump')?.scram;
  expect(scram?.['SCRAM-SHA-256']).toMatchObject({ iterations: limits.scramIterations });
  expect(scram?.['SCRAM-SHA-512'].salt).not.toBe(scram?.['SCRAM-SHA-256'].salt);
});

test('each change makes somebody else of a user, and is told once', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  let told = 0;
  users.onChange(() => told++);
  await users.add({ name: 'pump', password: 'a' });
  const first = users.find('pump');
  await users.change('pump', { access: { publish: ['a'], subscribe: ['b'] } });
  expect(users.find('pump')).not.toBe(first);
  await users.change('pump', { access: { publish: null } });
  expect(users.find('pump')?.access).toEqual({ subscribe: ['b'] });
  await users.change('pump', { password: 'b' });
  expect([await isRight(users, 'pump', 'a'), await isRight(users, 'pump', 'b')]).toEqual([false, true]);
  await users.remove('pump');
  expect(users.find('pump')).toBe(null);
  expect(told).toBe(5);
  expect(users.isUnused).toBe(false);
  expect((await open(folder.path)).isUnused).toBe(false);
});

test('changes at once do not undo each other', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  const names = Array.from({ length: 8 }, (_, index) => `user${index}`);
  await Promise.all(names.map((name) => users.add({ name, password: name })));
  expect((await open(folder.path)).count).toBe(8);
});

test.each([
  ['a name twice', { name: 'pump', password: 'x' }, 'user-exists'],
  ['a wildcard', { name: 'a+', password: 'x' }, 'illegal-user'],
  ['a level', { name: 'a/b', password: 'x' }, 'illegal-user'],
  ['a $ name', { name: '$a', password: 'x' }, 'illegal-user'],
  ['no name', { name: '', password: 'x' }, 'illegal-user'],
  ['a long name', { name: 'ü'.repeat(33), password: 'x' }, 'illegal-user'],
  ['no password', { name: 'b', password: '' }, 'illegal-user'],
  ['a long password', { name: 'b', password: 'x'.repeat(1025) }, 'illegal-user'],
  ['no pattern', { name: 'b', password: 'x', access: { publish: ['a#'] } }, 'illegal-user'],
  [
    'too many patterns',
    { name: 'b', password: 'x', access: { publish: Array(33).fill('a') } },
    'illegal-user',
  ],
] as const)('%s is refused', async (_what, user, code) => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  await users.add({ name: 'pump', password: 'x' });
  await expect(users.add(user)).rejects.toMatchObject({ code });
  expect(users.count).toBe(1);
});

test('who is not there is neither changed nor removed', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  for (const change of [users.change('a', { password: 'x' }), users.remove('a')])
    await expect(change).rejects.toMatchObject({ code: 'unknown-user' });
});

test('there is room for so many users, and one more is refused', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  const many = Array.from({ length: limits.usersMax }, (_, index) => ({
    name: `u${index}`,
    password: pbkdf2,
  }));
  expect((await users.import(many)).added.length).toBe(limits.usersMax);
  await expect(users.add({ name: 'more', password: 'x' })).rejects.toMatchObject({ code: 'too-many-users' });
  expect((await open(folder.path)).count).toBe(limits.usersMax);
});

test('all users with secrets of their own fit into the file', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  await users.add({ name: 'pump', password: 'x', access: { publish: ['sensors/%u/%c/#'] } });
  const [user] = await Promise.all([users.find('pump')]);
  const all = Array.from({ length: limits.usersMax }, () => ({ ...(user as User), name: 'x'.repeat(20) }));
  expect(Buffer.byteLength(usersFileText(all))).toBeLessThan(limits.usersFileBytesMax);
});

test('imported users keep their hashes until one logs in; then it is kept in our way, and nobody is told of a change', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  await users.add({ name: 'pump', password: 'x' });
  expect(
    await users.import([
      { name: 'pump', password: pbkdf2 },
      { name: 'old', password: pbkdf2 },
    ]),
  ).toEqual({ added: ['old'], kept: ['pump'] });
  let told = 0;
  users.onChange(() => told++);
  const old = users.find('old');
  if (old === null) throw new Error('it is not there');
  expect(old.password).toEqual(pbkdf2);
  await users.renew(old, Buffer.from('secret'), await hasher.hash(Buffer.from('secret')));
  expect(users.find('old')).toBe(old);
  expect(told).toBe(0);
  const again = await open(folder.path);
  expect(await isRight(again, 'old', 'secret')).toBe(true);
  expect(again.find('old')?.scram).toEqual(old.scram);
  expect(old.scram).not.toBe(null);
});

test('who has been changed meanwhile is not renewed', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  await users.import([{ name: 'old', password: pbkdf2 }]);
  const old = users.find('old');
  if (old === null) throw new Error('it is not there');
  await users.change('old', { password: 'new' });
  await users.renew(old, Buffer.from('secret'), await hasher.hash(Buffer.from('secret')));
  expect(await isRight(await open(folder.path), 'old', 'new')).toBe(true);
});

test('a change that cannot be written changes nothing', async () => {
  await using folder = await temporaryFolder();
  const users = await open(folder.path);
  await users.add({ name: 'pump', password: 'x' });
  await mkdir(join(`${fileIn(folder.path)}.new`, 'in the way'), { recursive: true });
  await expect(users.remove('pump')).rejects.toMatchObject({ code: 'data-folder-unusable' });
  expect(users.count).toBe(1);
});

const someUser = {
  name: 'a',
  password: { scheme: 'scrypt', n: 16, r: 1, p: 1, salt: 'AAAA', hash: 'AAAA' },
  scram: null,
  access: {},
  clients: {},
} as const;

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', '[]'],
  ['no users', '{"version":1}'],
  ['a wrong sum', usersFileText([someUser]).replace('"n":16', '"n":32')],
  [
    'a pattern that became another',
    usersFileText([{ ...someUser, access: { publish: ['a'] } }]).replace('["a"]', '["#"]'),
  ],
  ['a cut file', usersFileText([someUser]).slice(0, -20)],
  ['no name', usersFileText([{ ...someUser, name: '#' }])],
  [
    'a hash that would use up the memory',
    usersFileText([{ ...someUser, password: { ...someUser.password, n: 2 ** 24 } }]),
  ],
  ['a hash that takes for ever', usersFileText([{ ...someUser, password: { ...pbkdf2, iterations: 1e9 } }])],
  ['a list that is none', usersFileText([{ ...someUser, access: JSON.parse('{"publish":"#"}') }])],
  ['too much', `${usersFileText([someUser])}${' '.repeat(limits.usersFileBytesMax)}`],
])('a file with %s lets nobody in, says what to do, and is kept beside the new one', async (_what, text) => {
  await using folder = await temporaryFolder();
  await writeFile(fileIn(folder.path), text);
  const users = await open(folder.path);
  expect([users.count, users.isUnused]).toEqual([0, false]);
  expect(users.problem).toMatch(/users\.json cannot be used .*: nobody can log in\. Copy it from a backup/);
  await users.add({ name: 'pump', password: 'x' });
  expect(users.problem).toBe(null);
  expect((await open(folder.path)).count).toBe(1);
  expect(await readFile(`${fileIn(folder.path)}.damaged`, 'utf8')).toBe(text);
});

test('a folder where the file should be lets nobody in, and does not throw', async () => {
  await using folder = await temporaryFolder();
  await mkdir(fileIn(folder.path));
  const users = await open(folder.path);
  expect(users.problem).toMatch(/cannot be used \(.*users\.json is no file: remove it/);
  await expect(users.add({ name: 'a', password: 'x' })).rejects.toMatchObject({
    code: 'data-folder-unusable',
  });
});

test('a file of a later version is left alone', async () => {
  await using folder = await temporaryFolder();
  const text = '{"version":2,"people":[]}';
  await writeFile(fileIn(folder.path), text);
  const users = await open(folder.path);
  expect(users.problem).toMatch(/a later version/);
  await expect(users.add({ name: 'a', password: 'x' })).rejects.toMatchObject({ code: 'unreadable-format' });
  expect(await readFile(fileIn(folder.path), 'utf8')).toBe(text);
});
