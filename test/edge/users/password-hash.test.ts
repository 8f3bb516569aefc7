import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type PasswordHash, PasswordHasher } from '../../../src/edge/users/password-hash.ts';
import { SimRandom } from '../../support/sim-random.ts';

const cheap = { n: 16, r: 1, p: 1 };
const hasher = new PasswordHasher(new SimRandom(1), cheap);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const verify = (kept: PasswordHash | null, password: string) => hasher.verify(kept, Buffer.from(password));

/** RFC 7914, section 12. The first 32 bytes of 64: those of PBKDF2 do not depend on how many are wanted. */
test.each([
  ['', '', 16, 1, 1, '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442'],
  ['password', 'NaCl', 1024, 8, 16, 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162'],
  [
    'pleaseletmein',
    'SodiumChloride',
    16384,
    8,
    1,
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
  ],
] as const)('scrypt of "%s" with salt "%s" is as RFC 7914 says', async (password, salt, n, r, p, hex) => {
  const hash = Buffer.from(hex, 'hex').toString('base64');
  const kept: PasswordHash = { scheme: 'scrypt', n, r, p, salt: base64(salt), hash };
  expect(await verify(kept, password)).toEqual({ isRight: true, renewed: null });
  expect(await verify(kept, `${password}x`)).toEqual({ isRight: false, renewed: null });
});

test('a password is kept with a salt of its own, and found right', async () => {
  const [one, other] = [await hasher.hash(Buffer.from('secret')), await hasher.hash(Buffer.from('secret'))];
  expect(one).toMatchObject({ scheme: 'scrypt', ...cheap });
  expect(one.salt).not.toBe(other.salt);
  expect(one.hash).not.toBe(other.hash);
  expect(await verify(one, 'secret')).toEqual({ isRight: true, renewed: null });
  expect((await verify(one, 'Secret')).isRight).toBe(false);
  expect((await verify({ ...one, hash: one.hash.slice(0, 8) }, 'secret')).isRight).toBe(false);
});

test('nobody has a right password', async () => {
  expect(await verify(null, '')).toEqual({ isRight: false, renewed: null });
});

/** Written by mosquitto_passwd 2.0.11. */
test.each([
  [
    'secret',
    {
      scheme: 'pbkdf2-sha512',
      iterations: 101,
      salt: 'emCNsfNULN5IEvfb',
      hash: 'bzdEFJyfdmurNbsHIdN1vAuIyxQda2fdiQ9KW3Q6zJKoxdKPZ8XMoq/dk0gDKVMJ/lrvNgobxAgmzy6zDHnbSA==',
    },
  ],
  [
    'secret',
    {
      scheme: 'sha512',
      salt: '17JvkZTYYAzJdC0u',
      hash: '5qaB1K+kwJX/J93/+MY67EzkMdzPr3Pr9o7yhgZqdr/u/YhJnld40Bbw9A4G+fwfSnqzBuLDmFu7xbN8mgzn2A==',
    },
  ],
] as const)(
  'an imported hash is compared as it is, and a right password is hashed anew',
  async (password, kept) => {
    const { isRight, renewed } = await verify(kept, password);
    expect(isRight).toBe(true);
    expect(await verify(renewed, password)).toEqual({ isRight: true, renewed: null });
    expect(await verify(kept, 'wrong')).toEqual({ isRight: false, renewed: null });
  },
);

test('an unknown user and an imported one cost the same as any other: one scrypt', async () => {
  const costly = new PasswordHasher(new SimRandom(1), { n: limits.scryptCost, r: 8, p: 1 });
  const own = await costly.hash(Buffer.from('x'));
  const imported: PasswordHash = { scheme: 'sha512', salt: 'AAAA', hash: 'AAAA' };
  const cpuMs = async (kept: PasswordHash | null): Promise<number> => {
    const before = process.cpuUsage();
    await costly.verify(kept, Buffer.from('wrong'));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const usual = Math.min(await cpuMs(own), await cpuMs(own), await cpuMs(own));
  expect(await cpuMs(null)).toBeGreaterThan(usual / 2);
  expect(await cpuMs(imported)).toBeGreaterThan(usual / 2);
});

test('so many hashes are made at once and no more, the others in their order', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: 5 }, (_, index) =>
    hasher.inTurn(async () => {
      begun.push(index);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (index === 0) throw new Error('this one fails');
    }),
  );
  const failed = expect(all[0]).rejects.toThrow('this one fails');
  for (let count = limits.passwordHashesAtOnceMax; count <= 5; count++) {
    await expect.poll(() => begun.length).toBe(count);
    ends.shift()?.();
  }
  ends.shift()?.();
  await failed;
  await Promise.all(all.slice(1));
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
