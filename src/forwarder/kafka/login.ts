import { timingSafeEqual } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { Login, PasswordLogin, TokenLogin } from './cluster-access.ts';
import { scramHmac, scramKeys } from './scram-keys.ts';

/** What a broker answers to one of the requests of a login. */
export interface LoginAnswer {
  readonly code: number;
  /** The broker's own words; null if it has none. */
  readonly detail: string | null;
  readonly bytes: Uint8Array;
  /** For how long the login counts from now on, milliseconds; 0 for as long as the connection lasts. */
  readonly sessionMs: number;
}

export interface HandshakeAnswer {
  readonly code: number;
  /** What the broker offers on this port. */
  readonly mechanisms: readonly string[];
}

/** The two requests that a login consists of. */
export interface LoginExchange {
  handshake(mechanism: string): Promise<HandshakeAnswer>;
  authenticate(bytes: Uint8Array): Promise<LoginAnswer>;
}

/** The broker does not let us in; the message says why and what to do, and holds no secret. */
export class LoginError extends Error {
  override readonly name = 'LoginError';
}

const unsupportedMechanism = 33;
const illegalState = 34;

/**
 * Logs in by SASL. Resolves to how long that counts, milliseconds; 0 for as long as the connection lasts.
 * @throws LoginError, and what the exchange throws
 */
export async function logIn(login: Login, exchange: LoginExchange, nowMs: number): Promise<number> {
  const { code, mechanisms } = await exchange.handshake(login.mechanism);
  if (code === illegalState)
    throw new LoginError(
      'the broker wants no login on this port; use the port of a SASL listener, or remove forwarder.sasl',
    );
  if (code === unsupportedMechanism)
    throw new LoginError(
      `the broker does not offer SASL ${login.mechanism} on this port; set forwarder.sasl.mechanism to ` +
        `${mechanisms.map(printable).join(' or ')}, or enable it on the broker`,
    );
  if (code !== 0) throw new LoginError(`the broker answered the start of the login with error ${code}`);
  switch (login.mechanism) {
    case 'PLAIN':
      return (await accepted(login, exchange, plainMessage(login), nowMs)).sessionMs;
    case 'OAUTHBEARER':
      return await byToken(login, exchange, nowMs);
    default:
      return await byScram(login, exchange, nowMs);
  }
}

/** RFC 4616. */
const plainMessage = ({ username, password }: PasswordLogin): string => `\0${username}\0${password}`;

/** RFC 7628. A refused token is answered with an explanation first, and with the refusal once that is confirmed. */
async function byToken(login: TokenLogin, exchange: LoginExchange, nowMs: number): Promise<number> {
  const answer = await accepted(login, exchange, `n,,\x01auth=Bearer ${login.token}\x01\x01`, nowMs);
  if (answer.bytes.length === 0) return answer.sessionMs;
  await accepted(login, exchange, '\x01', nowMs);
  throw refusal(login, Buffer.from(answer.bytes).toString(), nowMs);
}

/** RFC 5802 and RFC 7677, without channel binding, which Kafka does not have. The broker proves itself as well. */
async function byScram(login: PasswordLogin, exchange: LoginExchange, nowMs: number): Promise<number> {
  const { username, password, nonce } = login;
  const mechanism = login.mechanism === 'SCRAM-SHA-256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512';

  const firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const serverFirst = textOf(await accepted(login, exchange, `n,,${firstBare}`, nowMs));
  const { r: bothNonces = '', s: salt = '', i: iterations = '' } = attributesOf(serverFirst);
  const rounds = Number(iterations);
  const isPlausible = rounds >= limits.scramIterationsMin && rounds <= limits.scramIterationsMax;
  if (!bothNonces.startsWith(nonce) || bothNonces === nonce || salt === '' || !isPlausible)
    throw new LoginError('what answers the login is no Kafka broker: it does not follow SCRAM');

  const keys = await scramKeys(mechanism, password, Buffer.from(salt, 'base64'), rounds);
  const finalBare = `c=biws,r=${bothNonces}`;
  const everything = `${firstBare},${serverFirst},${finalBare}`;
  const signature = scramHmac(mechanism, keys.storedKey, everything);
  const proof = keys.clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  const last = await accepted(
    login,
    exchange,
    `${finalBare},p=${Buffer.from(proof).toString('base64')}`,
    nowMs,
  );

  const told = Buffer.from(attributesOf(textOf(last))['v'] ?? '', 'base64');
  const expected = scramHmac(mechanism, keys.serverKey, everything);
  if (told.length !== expected.length || !timingSafeEqual(told, expected))
    throw new LoginError(
      'what answers the login is not the broker that knows this user: it cannot prove that it has the password',
    );
  return last.sessionMs;
}

const textOf = ({ bytes }: LoginAnswer): string => Buffer.from(bytes).toString();

/** `a=1,b=2`; a value may hold `=`. */
const attributesOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));

async function accepted(
  login: Login,
  exchange: LoginExchange,
  message: string,
  nowMs: number,
): Promise<LoginAnswer> {
  const answer = await exchange.authenticate(Buffer.from(message));
  if (answer.code === 0) return answer;
  throw refusal(login, answer.detail ?? '', nowMs);
}

function refusal(login: Login, said: string, nowMs: number): LoginError {
  const secret = login.mechanism === 'OAUTHBEARER' ? login.token : login.password;
  // A broker that gives our secret back is not to bring it into the service log.
  const words = said === '' || said.includes(secret) ? '' : ` (it says: ${printable(said)})`;
  const { mechanism, setting } = login;
  if (login.mechanism === 'OAUTHBEARER')
    return new LoginError(`the broker refuses the token of ${setting}${words}${tokenAdvice(login, nowMs)}`);
  return new LoginError(
    `the broker refuses the login of ${login.username} by ${mechanism}${words}; check forwarder.sasl.username and ` +
      `${setting}, and that the broker knows this user for ${mechanism}`,
  );
}

function tokenAdvice({ token, setting }: TokenLogin, nowMs: number): string {
  const expiresAtMs = tokenExpiryMs(token);
  const renew = setting.endsWith('File') ? 'write a new one there' : 'start the gateway with a new one';
  if (expiresAtMs === null || expiresAtMs > nowMs)
    return '; check that its issuer, audience and principal are those that the broker expects';
  const at = new Date(expiresAtMs).toISOString();
  return `; it has expired at ${at} by the clock of this device, so ${renew}, or set the clock if it is wrong`;
}

/** When a JSON Web Token says that it expires, milliseconds since 1970; null if it is none, or does not say. */
function tokenExpiryMs(token: string): number | null {
  const [, claims = ''] = token.split('.');
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp?: unknown };
    return typeof exp === 'number' && Math.abs(exp) <= latestSecond ? exp * 1000 : null;
  } catch {
    // Opaque tokens are as good; only the broker can judge them.
    return null;
  }
}

/** The last one that a Date can hold. */
const latestSecond = 8_640_000_000_000;

/** What others say, as one line of a bearable length. */
const printable = (text: string): string =>
  text
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, limits.quotedAnswerLengthMax);
