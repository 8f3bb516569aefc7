import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Login, PasswordLogin } from '../../src/forwarder/kafka/cluster-access.ts';
import { type LoginAnswer, LoginError, logIn } from '../../src/forwarder/kafka/login.ts';

const NOW_MS = Date.UTC(2026, 10, 26);

const plain: Login = {
  mechanism: 'PLAIN',
  username: 'gw1',
  password: 'correct horse',
  setting: 'forwarder.sasl.passwordFile',
  nonce: 'n',
};

const token = (expiresAtMs: number): string =>
  ['{"alg":"none"}', JSON.stringify({ sub: 'gw1', exp: expiresAtMs / 1000 }), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

const bearer = (content: string, setting = 'forwarder.sasl.tokenFile'): Login => ({
  mechanism: 'OAUTHBEARER',
  token: content,
  setting,
});

type Answer = Partial<Omit<LoginAnswer, 'bytes'>> & { readonly bytes?: string };

/** A broker that gives these answers in turn, and what it was sent. */
function broker(...answers: (Answer | ((message: string) => Answer))[]) {
  const sent: string[] = [];
  return {
    sent,
    handshake: async (mechanism: string) => {
      sent.push(mechanism);
      return await Promise.resolve({ code: 0, mechanisms: [] });
    },
    authenticate: async (bytes: Uint8Array): Promise<LoginAnswer> => {
      const message = Buffer.from(bytes).toString();
      sent.push(message);
      const next = answers.shift() ?? {};
      const answer = typeof next === 'function' ? next(message) : next;
      const { code = 0, detail = null, bytes: text = '', sessionMs = 0 } = answer;
      return await Promise.resolve({ code, detail, bytes: Buffer.from(text), sessionMs });
    },
  };
}

async function refusalOf(login: Login, exchange: Parameters<typeof logIn>[1]): Promise<string> {
  const error = await logIn(login, exchange, NOW_MS).catch((thrown: unknown) => thrown);
  if (!(error instanceof LoginError)) throw error;
  return error.message;
}

describe('a login by PLAIN', () => {
  test('sends user and password, and says how long it counts', async () => {
    const exchange = broker({ sessionMs: 60_000 });
    expect(await logIn(plain, exchange, NOW_MS)).toBe(60_000);
    expect(exchange.sent).toEqual(['PLAIN', '\0gw1\0correct horse']);
  });

  test('that is refused names the settings to check, and the broker', async () => {
    const detail = 'Authentication failed: Invalid username or password';
    expect(await refusalOf(plain, broker({ code: 58, detail }))).toBe(
      `the broker refuses the login of gw1 by PLAIN (it says: ${detail}); check forwarder.sasl.username and ` +
        'forwarder.sasl.passwordFile, and that the broker knows this user for PLAIN',
    );
  });

  test('does not repeat a secret that the broker gives back, nor what no terminal bears', async () => {
    const echo = await refusalOf(plain, broker({ code: 58, detail: 'wrong: correct horse' }));
    expect(echo).not.toContain('correct horse');
    const wild = await refusalOf(plain, broker({ code: 58, detail: `\x1b[2J\n${'x'.repeat(5000)}` }));
    expect(wild).not.toContain('\x1b');
    expect(wild.length).toBeLessThan(500);
  });
});

describe('a login by OAUTHBEARER', () => {
  test('sends the token', async () => {
    const exchange = broker({ sessionMs: 7 });
    expect(await logIn(bearer('a.b.c'), exchange, NOW_MS)).toBe(7);
    expect(exchange.sent).toEqual(['OAUTHBEARER', 'n,,\x01auth=Bearer a.b.c\x01\x01']);
  });

  test('with a refused token ends, though the broker first answers without an error', async () => {
    const exchange = broker({ bytes: '{"status":"invalid_token"}' }, { code: 58, detail: 'invalid_token' });
    expect(await refusalOf(bearer('a.b.c'), exchange)).toContain(
      'refuses the token of forwarder.sasl.tokenFile (it says: invalid_token); check that its issuer',
    );
    expect(exchange.sent.at(-1)).toBe('\x01');
  });

  test('is no login even if the broker forgets to refuse it after that', async () => {
    const exchange = broker({ bytes: '{"status":"invalid_token"}' }, {});
    expect(await refusalOf(bearer('a.b.c'), exchange)).toContain('invalid_token');
  });

  test.each([
    ['forwarder.sasl.tokenFile', 'so write a new one there, or set the clock if it is wrong'],
    ['forwarder.sasl.tokenEnv', 'so start the gateway with a new one, or set the clock if it is wrong'],
  ])('with an expired token says so, and how to renew it: %s', async (setting, words) => {
    const expired = token(NOW_MS - 60_000);
    const message = await refusalOf(bearer(expired, setting), broker({ code: 58 }));
    expect(message).toContain(
      `${setting}; it has expired at 2026-11-25T23:59:00.000Z by the clock of this device, ${words}`,
    );
    expect(message).not.toContain(expired);
  });

  test.each([
    ['one that is still valid', token(NOW_MS + 60_000)],
    ['an opaque one', 'opaque'],
    ['one with nonsense in it', `x.${Buffer.from('null').toString('base64url')}.x`],
    ['one with a date that none can hold', `x.${Buffer.from('{"exp":1e300}').toString('base64url')}.x`],
  ])('does not call a refused token expired: %s', async (_, content) => {
    expect(await refusalOf(bearer(content), broker({ code: 58 }))).toContain('check that its issuer');
  });
});

describe('a login by SCRAM', () => {
  // The example of RFC 7677.
  const user: PasswordLogin = {
    ...plain,
    mechanism: 'SCRAM-SHA-256',
    username: 'user',
    password: 'pencil',
    nonce: 'rOprNGfwEbeRWgbNEkqO',
  };
  const first = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';

  test('is that of RFC 7677', async () => {
    const exchange = broker(
      { bytes: first },
      { bytes: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', sessionMs: 5 },
    );
    expect(await logIn(user, exchange, NOW_MS)).toBe(5);
    expect(exchange.sent).toEqual([
      'SCRAM-SHA-256',
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    ]);
  });

  test('escapes what has a meaning in it, each time that it occurs', async () => {
    const exchange = broker({ code: 58 });
    await refusalOf({ ...user, username: 'a,b=c,d=e' }, exchange);
    expect(exchange.sent[1]).toContain('n=a=2Cb=3Dc=2Cd=3De,r=');
  });

  test('by SHA-512 convinces a broker that knows only derived keys', async () => {
    const salted = pbkdf2Sync('pencil', 'salt', 4096, 64, 'sha512');
    const hmac = (key: Buffer, text: string) => createHmac('sha512', key).update(text).digest();
    const messages: string[] = [];
    const exchange = broker(
      (message) => {
        messages.push(
          message.slice(3),
          `r=${user.nonce}more,s=${Buffer.from('salt').toString('base64')},i=4096`,
        );
        return { bytes: messages[1] ?? '' };
      },
      (message) => {
        const [bare = '', proof = ''] = message.split(',p=');
        const everything = [...messages, bare].join(',');
        const storedKey = createHash('sha512').update(hmac(salted, 'Client Key')).digest();
        const signature = hmac(storedKey, everything);
        const clientKey = Buffer.from(proof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0));
        if (!createHash('sha512').update(clientKey).digest().equals(storedKey)) return { code: 58 };
        return { bytes: `v=${hmac(hmac(salted, 'Server Key'), everything).toString('base64')}` };
      },
    );
    expect(await logIn({ ...user, mechanism: 'SCRAM-SHA-512' }, exchange, NOW_MS)).toBe(0);
  });

  test.each([
    ['', 'v=bm8='],
    ['is somebody else', `v=${Buffer.alloc(32).toString('base64')}`],
    ['has only an error', 'e=invalid-proof'],
    ['says nothing', ''],
  ])('does not trust a broker that cannot prove itself: %s', async (_, last) => {
    expect(await refusalOf(user, broker({ bytes: first }, { bytes: last }))).toContain(
      'cannot prove that it has the password',
    );
  });

  test.each([
    ['', 'nothing'],
    ['\0\0', 'garbage'],
    ['r=somebody-else,s=c2FsdA==,i=4096', 'a nonce that is not ours'],
    ['r=rOprNGfwEbeRWgbNEkqO,s=c2FsdA==,i=4096', 'no nonce of its own'],
    ['r=rOprNGfwEbeRWgbNEkqOx,i=4096', 'no salt'],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==', 'no iterations'],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=1', 'so few iterations that the password could be guessed'],
    ['r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=4000000000', 'so many iterations that it would take for ever'],
  ])('does not go on with %j: %s', async (bytes) => {
    const exchange = broker({ bytes });
    expect(await refusalOf(user, exchange)).toContain('it does not follow SCRAM');
    expect(exchange.sent).toHaveLength(2);
  });

  test('with a wrong password is refused like any other', async () => {
    expect(
      await refusalOf(user, broker({ bytes: first }, { code: 58, detail: 'invalid credentials' })),
    ).toContain('refuses the login of user by SCRAM-SHA-256 (it says: invalid credentials)');
  });
});

describe('a broker that does not want this login', () => {
  const answering = (code: number, mechanisms: readonly string[] = []) => ({
    ...broker(),
    handshake: async () => await Promise.resolve({ code, mechanisms }),
  });

  test('names the mechanisms that it offers', async () => {
    expect(await refusalOf(plain, answering(33, ['SCRAM-SHA-512', 'OAUTHBEARER']))).toBe(
      'the broker does not offer SASL PLAIN on this port; set forwarder.sasl.mechanism to SCRAM-SHA-512 or ' +
        'OAUTHBEARER, or enable it on the broker',
    );
  });

  test('may want none on that port', async () => {
    expect(await refusalOf(plain, answering(34))).toContain('wants no login on this port');
  });

  test('may say what nobody knows', async () => {
    expect(await refusalOf(plain, answering(99))).toContain('error 99');
  });
});
