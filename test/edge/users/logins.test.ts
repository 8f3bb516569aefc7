import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { Logins } from '../../../src/edge/users/logins.ts';
import { PasswordHasher, type Verdict } from '../../../src/edge/users/password-hash.ts';
import { Users } from '../../../src/edge/users/users.ts';
import type { Login } from '../../../src/ingest/mqtt/access.ts';
import type { Peer } from '../../../src/ingest/mqtt/peer.ts';
import { KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Counts what it does. */
class CountingHasher extends PasswordHasher {
  verified = 0;
  /** What is awaited before each verdict. */
  hold: Promise<void> = Promise.resolve();

  constructor() {
    super(new SimRandom(1), { n: 16, r: 1, p: 1 });
  }

  override async verify(...[kept, password]: Parameters<PasswordHasher['verify']>): Promise<Verdict> {
    this.verified++;
    await this.hold;
    return await super.verify(kept, password);
  }
}

async function site(anonymous?: boolean) {
  const folder = await temporaryFolder();
  const hasher = new CountingHasher();
  const users = await Users.open(folder.path, hasher);
  const clock = new ManualClock();
  const logger = new KeepingLogger();
  const logins = new Logins({ users, hasher, anonymous, clock, random: new SimRandom(2), logger });
  const login = async (
    user: string | null,
    password: string | null,
    host = '192.0.2.1',
    clientId = 'c',
    more: Partial<Peer> = {},
  ) =>
    await logins.login({
      user,
      password: password === null ? null : Buffer.from(password),
      clientId,
      peer: { host, address: `${host}:1`, certificateName: null, origin: null, ...more },
    });
  return {
    folder,
    hasher,
    users,
    clock,
    logger,
    logins,
    login,
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}

const verdict = (login: Login): string =>
  'refusal' in login ? login.refusal : `in as ${login.identity.user}`;

test('the right password is let in, with the lists of the user and of its client id', async () => {
  await using gateway = await site();
  const { users, login } = gateway;
  await users.add({ name: 'pump', password: 'a', access: { publish: ['%u/%c/#'], subscribe: [] } });
  await users.change('pump', { access: { publish: ['other'] }, clientId: 'special' });
  expect(verdict(await login('pump', 'b'))).toBe('bad-login');
  expect(verdict(await login('pump', null))).toBe('bad-login');
  expect(verdict(await login('pumpe', 'a'))).toBe('bad-login');
  const usual = await login('pump', 'a');
  const special = await login('pump', 'a', '192.0.2.1', 'special');
  if ('refusal' in usual || 'refusal' in special) throw new Error('refused');
  expect(usual.identity.mayPublish('pump/c/x')).toBe(true);
  expect(usual.identity.mayPublish('other')).toBe(false);
  expect(special.identity.mayPublish('other')).toBe(true);
  expect(special.identity.mayPublish('pump/special/x')).toBe(false);
  expect(special.identity.maySubscribe('other')).toBe(false);
});

test('messages about refusals say what to do, and hold no password', async () => {
  await using gateway = await site();
  await gateway.users.add({ name: 'pump', password: 'right' });
  const refusals = [await gateway.login('pump', 'wrongly'), await gateway.login(null, null)];
  const text = JSON.stringify(refusals);
  expect(text).toMatch(/headwater devices list/);
  expect(text).toMatch(/headwater devices add NAME/);
  expect(text).not.toMatch(/wrongly|right/);
});

test.each([
  [undefined, 'in as null', 'in as null', 'anonymous', 'anonymous', 'anonymous'],
  [true, 'in as null', 'in as null', 'in as null', 'in as null', 'in as null'],
  [false, 'anonymous', 'anonymous', 'anonymous', 'anonymous', 'anonymous'],
])(
  'without a user, by mqtt.anonymous %s',
  async (anonymous, own, mapped, other, ownWithUsers, otherWithUsers) => {
    await using gateway = await site(anonymous);
    const { login, users } = gateway;
    expect(verdict(await login(null, null, '127.0.0.1'))).toBe(own);
    expect(verdict(await login(null, null, '::ffff:127.0.0.1'))).toBe(mapped);
    expect(verdict(await login(null, null, '192.0.2.1'))).toBe(other);
    await users.add({ name: 'pump', password: 'a' });
    expect(verdict(await login(null, null, '::1'))).toBe(ownWithUsers);
    expect(verdict(await login(null, null, '192.0.2.1'))).toBe(otherWithUsers);
  },
);

test('with the first user, clients of this machine without one are revoked', async () => {
  await using gateway = await site();
  const { login, users } = gateway;
  const anonymous = await login(null, null, '127.0.0.1');
  if ('refusal' in anonymous) throw new Error('refused');
  expect(anonymous.identity.isRevoked).toBe(false);
  await users.add({ name: 'pump', password: 'a' });
  expect(anonymous.identity.isRevoked).toBe(true);
  expect(anonymous.identity.mayPublish('x')).toBe(false);
  expect(anonymous.identity.maySubscribe('x')).toBe(false);
});

test.each(['password', 'access', 'removal'] as const)(
  'a changed %s revokes who was let in before',
  async (what) => {
    await using gateway = await site();
    const { login, users } = gateway;
    await users.add({ name: 'pump', password: 'a' });
    await users.add({ name: 'valve', password: 'a' });
    const [pump, valve] = [await login('pump', 'a'), await login('valve', 'a')];
    if ('refusal' in pump || 'refusal' in valve) throw new Error('refused');
    expect(pump.identity.isRevoked).toBe(false);
    if (what === 'removal') await users.remove('pump');
    else await users.change('pump', what === 'password' ? { password: 'b' } : { access: { publish: [] } });
    expect(pump.identity.isRevoked).toBe(true);
    expect(pump.identity.mayPublish('x')).toBe(false);
    expect(valve.identity.isRevoked).toBe(false);
  },
);

test('a user who is removed while the password is looked at is not let in', async () => {
  await using gateway = await site();
  const { login, users, hasher } = gateway;
  await users.add({ name: 'pump', password: 'a' });
  const held = Promise.withResolvers<void>();
  hasher.hold = held.promise;
  const asked = login('pump', 'a');
  await expect.poll(() => hasher.verified).toBe(1);
  await users.remove('pump');
  held.resolve();
  expect(verdict(await asked)).toBe('bad-login');
});

test('a password that was right is known again without a hash, for a while, until the user is changed', async () => {
  await using gateway = await site();
  const { login, users, hasher, clock } = gateway;
  await users.add({ name: 'pump', password: 'a' });
  await users.add({ name: 'valve', password: 'b' });
  await login('pump', 'a');
  await Promise.all(Array.from({ length: 50 }, () => login('pump', 'a', '192.0.2.9')));
  expect(hasher.verified).toBe(1);
  expect(verdict(await login('pump', 'b'))).toBe('bad-login');
  expect(verdict(await login('valve', 'a'))).toBe('bad-login');
  expect(hasher.verified).toBe(3);
  clock.pass(limits.loginRememberedMsMax + 1);
  expect(verdict(await login('pump', 'a'))).toBe('in as pump');
  expect(hasher.verified).toBe(4);
  await users.change('pump', { password: 'b' });
  expect(verdict(await login('pump', 'a'))).toBe('bad-login');
  expect(verdict(await login('pump', 'b'))).toBe('in as pump');
});

test('a device that comes again before it was answered does not cost a hash each time', async () => {
  await using gateway = await site();
  const { login, users, hasher } = gateway;
  await users.add({ name: 'pump', password: 'a' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => login('pump', 'a')));
  expect(new Set(answers.map(verdict))).toEqual(new Set(['in as pump']));
  expect(hasher.verified).toBe(limits.passwordHashesAtOnceMax);
});

test('attempts all at once are stopped like those one after the other, unlooked', async () => {
  await using gateway = await site();
  const { login, users, hasher, clock } = gateway;
  await users.add({ name: 'pump', password: 'a' });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => login('pump', `x${index}`)));
  const looked = answers.filter((answer) => verdict(answer) === 'bad-login').length;
  expect(looked).toBe(hasher.verified);
  expect(looked).toBeLessThan(limits.loginPairFailuresMax + limits.passwordHashesAtOnceMax);
  // Not even the right one, from there, but from elsewhere.
  expect(verdict(await login('pump', 'a'))).toBe('throttled');
  expect(verdict(await login('pump', 'a', '192.0.2.2'))).toBe('in as pump');
  clock.pass(limits.loginFailureForgottenMs * 2);
  expect(verdict(await login('pump', 'a'))).toBe('in as pump');
});

test('no more logins wait than there may be connections, whoever leaves before the answer', async () => {
  await using gateway = await site();
  const { login, hasher, users } = gateway;
  await users.add({ name: 'pump', password: 'a' });
  await login('pump', 'a');
  const held = Promise.withResolvers<void>();
  hasher.hold = held.promise;
  const count = limits.mqttConnectionsMax + limits.passwordHashesAtOnceMax;
  const flood = Array.from({ length: count }, (_, index) => login(`u${index}`, 'x', `h${index}`));
  await expect.poll(() => hasher.waiting).toBe(limits.mqttConnectionsMax);
  expect(verdict(await login('another', 'x', 'elsewhere'))).toBe('throttled');
  expect(verdict(await login('pump', 'a'))).toBe('in as pump');
  held.resolve();
  await Promise.all(flood);
  expect(verdict(await login('another', 'x', 'elsewhere'))).toBe('bad-login');
});

test('an imported password is kept in our own way once it has proved right, without revoking anybody', async () => {
  await using gateway = await site();
  const { login, users } = gateway;
  // Written by mosquitto_passwd.
  const hash = '5qaB1K+kwJX/J93/+MY67EzkMdzPr3Pr9o7yhgZqdr/u/YhJnld40Bbw9A4G+fwfSnqzBuLDmFu7xbN8mgzn2A==';
  await users.import([{ name: 'bob', password: { scheme: 'sha512', salt: '17JvkZTYYAzJdC0u', hash } }]);
  expect(verdict(await login('bob', 'wrong'))).toBe('bad-login');
  expect(users.find('bob')?.password?.scheme).toBe('sha512');
  const bob = await login('bob', 'secret');
  if ('refusal' in bob) throw new Error('refused');
  await expect.poll(() => users.find('bob')?.password?.scheme).toBe('scrypt');
  expect(users.find('bob')?.scram).not.toBe(null);
  expect(bob.identity.isRevoked).toBe(false);
  await users.settled();
  expect(verdict(await login('bob', 'secret'))).toBe('in as bob');
});

test.each([
  [null, 'in as null'],
  ['http://localhost:8000', 'in as null'],
  ['https://127.0.0.1', 'in as null'],
  ['http://[::1]:8083', 'in as null'],
  ['https://example.com', 'anonymous'],
  ['http://127.0.0.1.example.com', 'anonymous'],
  ['http://localhost@example.com', 'anonymous'],
  ['null', 'anonymous'],
  ['', 'anonymous'],
])(
  'from a page of %j in a browser of this machine, a client without a user is %s',
  async (origin, expected) => {
    await using gateway = await site();
    expect(verdict(await gateway.login(null, null, '127.0.0.1', 'c', { origin }))).toBe(expected);
    expect(verdict(await gateway.login(null, null, '192.0.2.1', 'c', { origin }))).toBe('anonymous');
    await gateway.users.add({ name: 'page', password: 'a' });
    expect(verdict(await gateway.login('page', 'a', '127.0.0.1', 'c', { origin }))).toBe('in as page');
    await using open = await site(true);
    expect(verdict(await open.login(null, null, '192.0.2.1', 'c', { origin }))).toBe('in as null');
  },
);

test('a certificate is a login as the user of its name, with its lists, for as long as there is that user', async () => {
  await using gateway = await site();
  const { users, login, hasher } = gateway;
  await users.add({ name: 'pump', access: { publish: ['pumps/%u/#'] } });
  await users.add({ name: 'valve', password: 'a' });
  const certified = (certificateName: string, user: string | null = null, more: Partial<Peer> = {}) =>
    login(user, null, '192.0.2.1', 'c', { certificateName, ...more });
  const pump = await certified('pump');
  if ('refusal' in pump) throw new Error('refused');
  expect(pump.identity.user).toBe('pump');
  expect(pump.identity.mayPublish('pumps/pump/x')).toBe(true);
  expect(pump.identity.mayPublish('pumps/valve/x')).toBe(false);
  expect(verdict(await certified('pump', 'pump'))).toBe('in as pump');
  // Who has a password may use a certificate as well.
  expect(verdict(await certified('valve'))).toBe('in as valve');
  // Nobody is let in as somebody else, and none whom the list does not name, even if everybody is without a certificate.
  expect(await certified('pump', 'valve')).toMatchObject({
    refusal: 'bad-login',
    message: expect.stringContaining('is that of pump, but it logs in as another user'),
  });
  for (const name of ['stranger', 'PUMP', 'pump ', 'constructor', '__proto__', 'pump\0'])
    expect(verdict(await certified(name))).toBe('bad-login');
  await using open = await site(true);
  expect(verdict(await open.login(null, null, '192.0.2.1', 'c', { certificateName: 'stranger' }))).toBe(
    'bad-login',
  );
  expect(hasher.verified).toBe(0);
  await users.remove('pump');
  expect(pump.identity.isRevoked).toBe(true);
  expect(pump.identity.mayPublish('pumps/pump/x')).toBe(false);
  expect(verdict(await certified('pump'))).toBe('bad-login');
});

test('a user without a password logs in by no password, and by one that is given later', async () => {
  await using gateway = await site();
  const { users, login } = gateway;
  await users.add({ name: 'pump' });
  for (const password of [null, '', 'null', 'pump'])
    expect(verdict(await login('pump', password))).toBe('bad-login');
  expect(await users.list()).toEqual([
    { name: 'pump', isImported: false, hasPassword: false, access: {}, clients: {} },
  ]);
  const again = await Users.open(gateway.folder.path, gateway.hasher);
  expect(again.problem).toBe(null);
  expect(again.find('pump')?.password).toBe(null);
  await users.change('pump', { password: 'later' });
  expect(verdict(await login('pump', 'later', '192.0.2.2'))).toBe('in as pump');
});

test('a certificate that a browser shows for a page from elsewhere is no login', async () => {
  await using gateway = await site();
  await gateway.users.add({ name: 'page', password: 'a' });
  const shown = { certificateName: 'page', origin: 'https://example.com' };
  expect(verdict(await gateway.login(null, null, '127.0.0.1', 'c', shown))).toBe('anonymous');
  expect(verdict(await gateway.login('page', null, '127.0.0.1', 'c', shown))).toBe('bad-login');
  expect(verdict(await gateway.login('page', 'a', '127.0.0.1', 'c', shown))).toBe('in as page');
});
