import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { AdminAccess } from '../../../../src/edge/admin/access/admin-access.ts';
import { adminToken, cheapHasher } from '../../../support/admin-door.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { SimRandom } from '../../../support/sim-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const password = 'a good password';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let clock: ManualClock;
let starts = 0;

const start = () => {
  starts += 1;
  return AdminAccess.open({
    dataDir: folder.path,
    token: adminToken,
    hasher: cheapHasher(),
    clock,
    random: new SimRandom(starts),
    logger: silentLogger,
  });
};
const inFolder = (name: string): string => join(folder.path, name);
const cookieOf = (token: string) => ({ cookie: `theme=dark; headwater=${token}` });
const claimed = async () => {
  const access = await start();
  await access.claim({ code: access.claimCode ?? '', password }, 'a');
  return access;
};

beforeEach(async () => {
  folder = await temporaryFolder();
  clock = new ManualClock();
});

afterEach(() => folder[Symbol.asyncDispose]());

describe('the claim code', () => {
  test('has 80 random bits, is in a file for the owner alone, and is another one after each start', async () => {
    const access = await start();
    expect(access.state).toBe('unclaimed');
    expect(access.claimCode).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect((await readFile(inFolder('claim-code'), 'utf8')).trim()).toBe(access.claimCode);
    expect((await stat(inFolder('claim-code'))).mode & 0o777).toBe(0o600);
    const again = await start();
    expect(again.claimCode).not.toBe(access.claimCode);
    await expect(again.claim({ code: access.claimCode ?? '', password }, 'a')).rejects.toThrow(
      /not the code of this start/,
    );
  });

  test('sets the first password once, however it is typed, and is gone then', async () => {
    const access = await start();
    const code = access.claimCode ?? '';
    const token = await access.claim({ code: ` ${code.toLowerCase().replaceAll('-', ' ')}`, password }, 'a');
    expect(access.credentialOf(cookieOf(token))).toEqual({ kind: 'login', token });
    expect(access).toMatchObject({ state: 'claimed', claimCode: null });
    expect(existsSync(inFolder('claim-code'))).toBe(false);
    await expect(access.claim({ code, password }, 'b')).rejects.toMatchObject({ code: 'already-claimed' });
    expect((await start()).state).toBe('claimed');
  });

  test('is used by one of two who come at once', async () => {
    const access = await start();
    const code = access.claimCode ?? '';
    const both = await Promise.allSettled([
      access.claim({ code, password }, 'a'),
      access.claim({ code, password: 'another password' }, 'b'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await access.login(password, 'c')).toBeTruthy();
  });

  test('stays as it is when the new password is too short, or too long', async () => {
    const access = await start();
    const code = access.claimCode ?? '';
    for (const bad of ['', 'a'.repeat(limits.adminPasswordLengthMin - 1), 'ä'.repeat(600)])
      await expect(access.claim({ code, password: bad }, 'a')).rejects.toMatchObject({ code: 'bad-input' });
    expect(await access.claim({ code, password: 'ä'.repeat(8) }, 'a')).toBeTruthy();
  });

  test('that a crash left beside a password is removed by the next start', async () => {
    await claimed();
    await writeFile(inFolder('claim-code'), 'ABCD\n');
    expect((await start()).claimCode).toBeNull();
    expect(existsSync(inFolder('claim-code'))).toBe(false);
  });
});

describe('the password', () => {
  test('is kept as a hash for the owner alone, and counts after a restart; logins do not', async () => {
    const token = await (await claimed()).login(password, 'a');
    const kept = await readFile(inFolder('admin.json'), 'utf8');
    expect(kept).toContain('"scheme":"scrypt"');
    expect(kept).not.toContain(password);
    expect((await stat(inFolder('admin.json'))).mode & 0o777).toBe(0o600);
    const again = await start();
    expect(again.credentialOf(cookieOf(token))).toBeNull();
    expect(await again.login(password, 'a')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('may be changed, which ends all logins', async () => {
    const access = await claimed();
    const token = await access.login(password, 'a');
    await access.setPassword('something else');
    expect(access.credentialOf(cookieOf(token))).toBeNull();
    await expect(access.login(password, 'a')).rejects.toMatchObject({ code: 'wrong-password' });
    expect(await access.login('something else', 'a')).toBeTruthy();
  });

  test('may be set without the code by whoever has the token, which claims the gateway', async () => {
    const access = await start();
    await expect(access.login(password, 'a')).rejects.toMatchObject({ code: 'unclaimed' });
    await access.setPassword(password);
    expect(access.state).toBe('claimed');
    expect(existsSync(inFolder('claim-code'))).toBe(false);
  });

  test.each([
    ['no JSON', () => '{'],
    ['nothing', () => ''],
    ['null', () => 'null'],
    ['another hash', (text: string) => text.replace('"hash":"', '"hash":"AA')],
    ['a hash that takes for ever', (text: string) => text.replace('"n":16', '"n":1073741824')],
    ['too much', (text: string) => text.padEnd(limits.adminPasswordFileBytesMax + 1)],
  ])(
    'in a damaged file (%s) lets nobody in, gives no stranger a code, and is set anew on the gateway',
    async (_, damage) => {
      await claimed();
      const damaged = damage(await readFile(inFolder('admin.json'), 'utf8'));
      await writeFile(inFolder('admin.json'), damaged);
      const access = await start();
      expect(access).toMatchObject({ state: 'claimed', claimCode: null });
      expect(access.problem).toMatch(/admin\.json cannot be used .*headwater admin passwd/);
      await expect(access.login(password, 'a')).rejects.toMatchObject({ code: 'password-unusable' });
      await expect(access.claim({ code: '', password }, 'a')).rejects.toMatchObject({
        code: 'already-claimed',
      });
      await access.setPassword(password);
      expect(access.problem).toBeNull();
      expect(await readFile(inFolder('admin.json.damaged'), 'utf8')).toBe(damaged);
      expect(await (await start()).login(password, 'a')).toBeTruthy();
    },
  );

  test('of a later version is left alone', async () => {
    await writeFile(inFolder('admin.json'), '{"version":2}');
    const access = await start();
    expect(access.problem).toMatch(/later version/);
    await expect(access.setPassword(password)).rejects.toMatchObject({ code: 'unreadable-format' });
    expect(await readFile(inFolder('admin.json'), 'utf8')).toBe('{"version":2}');
  });
});

/** How many of so many guesses in a row were looked at. */
async function looked(guess: (host: string) => Promise<string>, hosts: readonly string[]): Promise<number> {
  let count = 0;
  for (const host of hosts) {
    const code = await guess(host).then(
      () => 'let in',
      (error: { code: string }) => error.code,
    );
    if (code !== 'too-many-attempts') count += 1;
  }
  return count;
}

describe('guessing', () => {
  const here = Array.from({ length: 1_000 }, () => '192.0.2.1');
  const everywhere = Array.from({ length: 1_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const guesses = {
    password: (access: AdminAccess) => (host: string) => access.login('a wrong guess', host),
    code: (access: AdminAccess) => (host: string) =>
      access.claim({ code: '0000-0000-0000-0000', password }, host),
  };

  test.each(['password', 'code'] as const)(
    'the %s is looked at five times from one address, a hundred times in all, then once in ten seconds',
    async (what) => {
      const access = what === 'password' ? await claimed() : await start();
      const guess = guesses[what](access);
      expect(await looked(guess, here)).toBe(limits.loginPairFailuresMax);
      await expect(guess('192.0.2.1')).rejects.toMatchObject({
        code: 'too-many-attempts',
        retryAfterMs: limits.loginFailureForgottenMs,
      });
      expect(await looked(guess, everywhere)).toBe(limits.loginUserFailuresMax - limits.loginPairFailuresMax);
      let inAnHour = 0;
      for (let passedMs = 0; passedMs < 3_600_000; passedMs += 1_000) {
        clock.pass(1_000);
        inAnHour += await looked(guess, everywhere.slice(0, 20));
      }
      expect(inAnHour).toBeLessThanOrEqual(3_600_000 / limits.loginFailureForgottenMs);
      expect(inAnHour).toBeGreaterThan(300);
    },
  );

  test('locks out nobody who has logged in from his address before', async () => {
    const access = await claimed();
    await access.login(password, '192.0.2.7');
    await looked(guesses.password(access), everywhere);
    await expect(access.login(password, '192.0.2.8')).rejects.toMatchObject({ code: 'too-many-attempts' });
    expect(await access.login(password, '192.0.2.7')).toBeTruthy();
  });

  test('by many at once makes no more of them count, and lets only a few wait', async () => {
    const access = await claimed();
    const many = await Promise.allSettled(here.slice(0, 100).map(guesses.password(access)));
    const codes = many.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : ''));
    expect(codes.filter((code) => code === 'wrong-password')).toHaveLength(limits.loginPairFailuresMax);
    expect(codes.filter((code) => code === 'too-many-attempts')).toHaveLength(
      100 - limits.loginPairFailuresMax,
    );
  });
});

test.each(['', 'headwater=', 'headwater=zz', 'xheadwater=TOKEN', 'headwater=TOKENa', 'headwater=TOKEN a'])(
  'the cookie "%s" is no login',
  async (form) => {
    const access = await claimed();
    const cookie = form.replace('TOKEN', await access.login(password, 'a'));
    expect(access.credentialOf({ cookie })).toBeNull();
  },
);
