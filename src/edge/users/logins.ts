import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Random } from '../../core/random.ts';
import type { Access, Identity, Login, LoginAttempt } from '../../ingest/mqtt/access.ts';
import { quoted } from '../../ingest/mqtt/refusals.ts';
import { TopicAccess } from '../../ingest/mqtt/topic-access.ts';
import { isLoopback } from '../config/address.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { PasswordHasher } from './password-hash.ts';
import { accessOf, type User } from './user.ts';
import type { Users } from './users.ts';

export interface LoginsOptions {
  readonly users: Users;
  readonly hasher: PasswordHasher;
  /** `mqtt.anonymous`. Undefined: from this machine, while there are no users. */
  readonly anonymous: boolean | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Which clients are let in without a user. */
export type AnonymousAccess = 'everywhere' | 'loopback' | 'nobody';

interface Remembered {
  readonly digest: Buffer;
  readonly untilMs: number;
}

const KEY_LENGTH = 32;

/**
 * Decides logins. A password that was right is remembered for a while by a digest under a key of this process, in memory
 * only: so devices that all come back at once, or one that is cut off and returns for ever, do not cost a hash each.
 */
export class Logins implements Access {
  readonly #options: LoginsOptions;
  readonly #throttle: LoginThrottle;
  readonly #key: Uint8Array;
  readonly #remembered = new WeakMap<User, Remembered>();

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.clock);
    this.#key = options.random.bytes(KEY_LENGTH);
  }

  /** Who is let in without a user at present. A damaged file counts as one with users. */
  get anonymous(): AnonymousAccess {
    const { anonymous, users } = this.#options;
    if (anonymous !== undefined) return anonymous ? 'everywhere' : 'nobody';
    return users.count === 0 && users.problem === null ? 'loopback' : 'nobody';
  }

  onRevoked(listener: () => void): void {
    this.#options.users.onChange(listener);
  }

  async login(attempt: LoginAttempt): Promise<Login> {
    const { user: name, clientId, peer } = attempt;
    const host = hostOf(peer.host);
    const { certificateName } = peer;
    // A browser shows a certificate for whatever page asks, so that it does not say who wants to log in.
    if (certificateName !== null && !isForeignPage(peer.origin))
      return this.#loginByCertificate(certificateName, name, clientId);
    if (name !== null) return await this.#loginOf(name, host, attempt);
    const mayBeAnonymous = (): boolean =>
      this.anonymous === 'everywhere' ||
      (this.anonymous === 'loopback' && isOfThisMachine(host, peer.origin));
    if (mayBeAnonymous()) return { identity: anonymousIdentity(clientId, mayBeAnonymous) };
    return {
      refusal: 'anonymous',
      message:
        'who has no user is not let in, nor is a web page from elsewhere; give the device a user and a password (headwater devices add NAME), or set ' +
        'mqtt.anonymous: true to let everybody in',
    };
  }

  recall(user: string | null, clientId: string): Identity | null {
    const mayBeAnonymous = (): boolean => this.anonymous !== 'nobody';
    if (user === null) return mayBeAnonymous() ? anonymousIdentity(clientId, mayBeAnonymous) : null;
    const known = this.#options.users.find(user);
    return known && this.#identityOf(known, clientId);
  }

  /** The user is who the certificate says; it proves only what the list of users confirms, which is how one is revoked. */
  #loginByCertificate(certificateName: string, name: string | null, clientId: string): Login {
    const user = this.#options.users.find(certificateName);
    if (user !== null && (name === null || name === certificateName))
      return { identity: this.#identityOf(user, clientId) };
    const message =
      user === null
        ? `its certificate is that of ${quoted(certificateName)}, and there is no such user; if there should be: headwater devices add NAME --certificate`
        : `its certificate is that of ${quoted(certificateName)}, but it logs in as another user; leave the user out in the client`;
    return { refusal: 'bad-login', message };
  }

  async #loginOf(name: string, host: string, { password, clientId }: LoginAttempt): Promise<Login> {
    const { users, hasher } = this.#options;
    const given = password ?? new Uint8Array();
    const digest = createHmac('sha256', this.#key).update(given).digest();
    const known = users.find(name);
    if (known !== null && this.#isRemembered(known, digest))
      return { identity: this.#identityOf(known, clientId) };
    // More can wait only if connections end before they are answered: somebody makes one after the other.
    const isFull = hasher.waiting >= limits.mqttConnectionsMax;
    const user = isFull
      ? 'throttled'
      : await hasher.inTurn(() => this.#checked({ name, given, digest, host }));
    if (user === 'throttled')
      return {
        refusal: 'throttled',
        message:
          'too many logins failed; the next one is looked at in some seconds. Correct the user or the password',
      };
    if (user !== null && users.find(name) === user) return { identity: this.#identityOf(user, clientId) };
    return {
      refusal: 'bad-login',
      message: `no such user, or a wrong password; headwater devices list shows the users, headwater devices passwd changes a password`,
    };
  }

  /** Whoever it is, if the password is right. Asked in turn: so many attempts at once cannot all be made before one counts. */
  async #checked(attempt: {
    readonly name: string;
    readonly given: Uint8Array;
    readonly digest: Buffer;
    readonly host: string;
  }): Promise<User | null | 'throttled'> {
    const { name, given, digest, host } = attempt;
    const { users, hasher, clock } = this.#options;
    const user = users.find(name);
    // By an earlier attempt of a device that has lost its patience and comes again.
    if (user !== null && this.#isRemembered(user, digest)) return user;
    if (!this.#throttle.mayTry(name, host)) return 'throttled';
    const { isRight, renewed } = await hasher.verify(user?.password ?? null, given);
    if (user === null || !isRight) {
      this.#throttle.failed(name, host);
      return null;
    }
    this.#throttle.succeeded(name, host);
    this.#remembered.set(user, { digest, untilMs: clock.monotonicMs() + limits.loginRememberedMsMax });
    if (renewed !== null) void this.#renew(user, given, renewed);
    return user;
  }

  async #renew(...[user, password, hash]: Parameters<Users['renew']>): Promise<void> {
    try {
      await this.#options.users.renew(user, password, hash);
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      const message = 'an imported password could not be hashed anew; tried again at the next login';
      this.#options.logger.warn({ user: user.name, error: error.message }, message);
    }
  }

  #isRemembered(user: User, digest: Buffer): boolean {
    const kept = this.#remembered.get(user);
    if (kept === undefined || kept.untilMs < this.#options.clock.monotonicMs()) return false;
    return timingSafeEqual(kept.digest, digest);
  }

  #identityOf(user: User, clientId: string): Identity {
    const { users } = this.#options;
    const access = new TopicAccess(accessOf(user, clientId), { user: user.name, clientId });
    return identityOf(user.name, access, () => users.find(user.name) !== user);
  }
}

const anonymousIdentity = (clientId: string, mayBeAnonymous: () => boolean): Identity =>
  identityOf(null, new TopicAccess({}, { user: null, clientId }), () => !mayBeAnonymous());

function identityOf(user: string | null, access: TopicAccess, isRevoked: () => boolean): Identity {
  return {
    user,
    get isRevoked() {
      return isRevoked();
    },
    mayPublish: (topic) => !isRevoked() && access.mayPublish(topic),
    maySubscribe: (filter) => !isRevoked() && access.maySubscribe(filter),
  };
}

/** Whether it is a page from elsewhere in somebody's browser. */
function isForeignPage(origin: string | null): boolean {
  if (origin === null) return false;
  const pageHost = URL.parse(origin)?.hostname.replace(/^\[(.*)\]$/, '$1');
  return pageHost === undefined || !isLoopback(pageHost);
}

/**
 * Whether it is a program of this machine. A page from elsewhere in a browser of this machine is none, although its connection comes
 * from here: whoever has written it would be let in.
 */
const isOfThisMachine = (host: string, origin: string | null): boolean =>
  isLoopback(host) && !isForeignPage(origin);

/** Without what marks an IPv4 address on a socket for both kinds. */
const hostOf = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/i, '');
