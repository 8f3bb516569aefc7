import { createHash } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { limits } from '../../../core/limits.ts';
import type { Random } from '../../../core/random.ts';

const TOKEN_LENGTH = 32;

interface Session {
  readonly beganMs: number;
  usedMs: number;
  /** What ends with it. */
  readonly open: Set<() => void>;
}

/**
 * Who has logged in to the page. A login is a random token, of which only the hash is kept, in memory: so a restart ends all of
 * them, as do their age, the time without use, and too many others.
 */
export class LoginSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  /** By the hash of the token; the one not used for longest comes first. */
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Begins one, and gives its token. */
  begin(): string {
    this.#endOld();
    const token = Buffer.from(this.#random.bytes(TOKEN_LENGTH)).toString('hex');
    const nowMs = this.#clock.monotonicMs();
    this.#sessions.set(hashOf(token), { beganMs: nowMs, usedMs: nowMs, open: new Set() });
    for (const hash of this.#sessions.keys()) {
      if (this.#sessions.size <= limits.adminLoginsMax) break;
      this.#end(hash);
    }
    return token;
  }

  /** Whether it is the token of one that holds, which counts as its use. */
  use(token: string): boolean {
    this.#endOld();
    const hash = hashOf(token);
    const session = this.#sessions.get(hash);
    if (session === undefined) return false;
    session.usedMs = this.#clock.monotonicMs();
    this.#sessions.delete(hash);
    this.#sessions.set(hash, session);
    return true;
  }

  /** Has `close` called when the session ends, unless what is given back is called before. */
  whenEnded(token: string, close: () => void): () => void {
    const session = this.#sessions.get(hashOf(token));
    if (session === undefined) {
      close();
      return () => {};
    }
    session.open.add(close);
    return () => session.open.delete(close);
  }

  end(token: string): void {
    this.#end(hashOf(token));
  }

  endAll(): void {
    for (const hash of this.#sessions.keys()) this.#end(hash);
  }

  #endOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [hash, { beganMs, usedMs }] of this.#sessions) {
      const isOld =
        nowMs - beganMs >= limits.adminLoginAgeMsMax || nowMs - usedMs >= limits.adminLoginIdleMsMax;
      if (isOld) this.#end(hash);
    }
  }

  #end(hash: string): void {
    const session = this.#sessions.get(hash);
    this.#sessions.delete(hash);
    for (const close of session?.open ?? []) close();
  }
}

/** A table that somebody reads holds no token; and looking one up by its hash tells nothing by its time. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64');
