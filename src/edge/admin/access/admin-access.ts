import type { Clock } from '../../../core/clock.ts';
import { limits } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { Random } from '../../../core/random.ts';
import { LoginThrottle } from '../../users/login-throttle.ts';
import type { PasswordHasher } from '../../users/password-hash.ts';
import { carriesToken } from '../admin-token.ts';
import { ApiError } from '../api-error.ts';
import { AdminPassword } from './admin-password.ts';
import { isClaimCode, newClaimCode, removeClaimCode } from './claim-code.ts';
import { LoginSessions } from './login-sessions.ts';

export interface AdminAccessOptions {
  readonly dataDir: string;
  /** That of the file `admin.token`. */
  readonly token: string;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** By what a request shows who sends it. */
export type Credential = { readonly kind: 'token' } | { readonly kind: 'login'; readonly token: string };

/** Those headers of a request that show it. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}

/** What is asked about a gateway before anything else. `unclaimed`: no password was ever set. */
export type AdminState = 'unclaimed' | 'claimed';

/** The cookie of a login. */
export const LOGIN_COOKIE = 'headwater';

/** Who may use the admin port: whoever has the token of the data folder, or has logged in by the password. */
export class AdminAccess {
  readonly #options: AdminAccessOptions;
  readonly #password: AdminPassword;
  readonly #sessions: LoginSessions;
  readonly #throttle: LoginThrottle;
  #claimCode: string | null = null;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: AdminAccessOptions, password: AdminPassword) {
    this.#options = options;
    this.#password = password;
    this.#sessions = new LoginSessions(options.clock, options.random);
    this.#throttle = new LoginThrottle(options.clock);
  }

  /**
   * Reads the password; while there was none, a new claim code is made.
   * @throws OperatingError `data-folder-unusable`
   */
  static async open(options: AdminAccessOptions): Promise<AdminAccess> {
    const { dataDir, hasher, random, logger } = options;
    const password = await AdminPassword.open(dataDir, hasher);
    const access = new AdminAccess(options, password);
    if (password.isUnset) access.#claimCode = await newClaimCode(dataDir, random);
    else await removeClaimCode(dataDir);
    if (password.problem !== null)
      logger.error({ problem: password.problem }, 'the admin password cannot be read');
    return access;
  }

  get state(): AdminState {
    return this.#password.isUnset ? 'unclaimed' : 'claimed';
  }

  /** What sets the first password; null once there is one. */
  get claimCode(): string | null {
    return this.#claimCode;
  }

  /** What is wrong with the kept password, and what to do; null if nothing is. */
  get problem(): string | null {
    return this.#password.problem;
  }

  /** Who sends a request; null for anybody. */
  credentialOf({ authorization, cookie }: CredentialHeaders): Credential | null {
    if (carriesToken(authorization, this.#options.token)) return { kind: 'token' };
    for (const token of loginTokensIn(cookie)) if (this.#sessions.use(token)) return { kind: 'login', token };
    return null;
  }

  /** Has `close` called when the login ends, unless what is given back is called before. */
  whenEnded(token: string, close: () => void): () => void {
    return this.#sessions.whenEnded(token, close);
  }

  /**
   * Sets the first password, and gives the token of a login.
   * @throws ApiError `already-claimed`, `wrong-code`, `too-many-attempts`
   * @throws OperatingError as {@link AdminPassword.set}
   */
  async claim(given: { readonly code: string; readonly password: string }, host: string): Promise<string> {
    return await this.#attempt('claim', host, async () => {
      if (this.#claimCode === null)
        throw new ApiError(
          'already-claimed',
          'this gateway has a password already: log in. If nobody knows it, set another one on the gateway: headwater admin passwd',
        );
      if (!isClaimCode(given.code, this.#claimCode)) {
        this.#throttle.failed('claim', host);
        throw new ApiError(
          'wrong-code',
          'this is not the code of this start of the gateway; headwater admin claim-code shows it, as does what the gateway printed when it started',
        );
      }
      await this.#set(given.password);
      return this.#sessions.begin();
    });
  }

  /**
   * Gives the token of a login.
   * @throws ApiError `unclaimed`, `wrong-password`, `too-many-attempts`, `password-unusable`
   */
  async login(password: string, host: string): Promise<string> {
    return await this.#attempt('login', host, async () => {
      if (this.#password.isUnset)
        throw new ApiError('unclaimed', 'no password was set yet: set it by the code of the gateway');
      if (this.#password.problem !== null) throw new ApiError('password-unusable', this.#password.problem);
      if (!(await this.#password.isRight(password))) {
        this.#throttle.failed('login', host);
        throw new ApiError(
          'wrong-password',
          'this is not the password; whoever may use the gateway itself sets another one by headwater admin passwd',
        );
      }
      this.#throttle.succeeded('login', host);
      return this.#sessions.begin();
    });
  }

  logout(token: string): void {
    this.#sessions.end(token);
  }

  /**
   * Sets the password, the first one or another, and ends all logins.
   * @throws OperatingError as {@link AdminPassword.set}
   */
  async setPassword(password: string): Promise<void> {
    await this.#oneByOne(() => this.#set(password));
  }

  async #set(password: string): Promise<void> {
    await this.#password.set(password);
    this.#claimCode = null;
    this.#sessions.endAll();
    // What a crash leaves of it is removed by the next start.
    await removeClaimCode(this.#options.dataDir);
    this.#options.logger.info({}, 'the admin password was set; all logins have ended');
  }

  /** Looked at one by one: so many attempts at once cannot all be made before one counts. */
  async #attempt(what: 'claim' | 'login', host: string, look: () => Promise<string>): Promise<string> {
    if (this.#waiting >= limits.adminAttemptsWaitingMax)
      throw new ApiError(
        'too-many-attempts',
        'too many log in at this moment: try again',
        limits.adminAttemptRetryMs,
      );
    this.#waiting += 1;
    try {
      return await this.#oneByOne(async () => {
        const waitMs = this.#throttle.waitMs(what, host);
        if (waitMs === 0) return await look();
        throw new ApiError(
          'too-many-attempts',
          `too many attempts failed: the next one is looked at in ${Math.ceil(waitMs / 1000)} s`,
          waitMs,
        );
      });
    } finally {
      this.#waiting -= 1;
    }
  }

  async #oneByOne<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(() => this.#options.hasher.inTurn(work));
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}

/** All that may be one, since a browser sends what other programs of this host have set as well. */
const loginTokensIn = (cookie: string | undefined): readonly string[] =>
  [...(cookie ?? '').matchAll(/(?:^|;\s*)headwater=([0-9a-f]{64})(?=;|$)/g)].flatMap(([, token]) =>
    token === undefined ? [] : [token],
  );
