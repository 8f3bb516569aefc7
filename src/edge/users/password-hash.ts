import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { limits } from '../../core/limits.ts';
import type { Random } from '../../core/random.ts';

/** What scrypt costs (RFC 7914): 128 · n · r bytes of memory, and time in proportion to n · r · p. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** A password as it is kept; salt and hash are in base64. */
export interface ScryptHash extends ScryptCost {
  readonly scheme: 'scrypt';
  readonly salt: string;
  readonly hash: string;
}

/** One from a file of mosquitto_passwd, until its user first logs in: before that, nobody knows the password. */
export type ImportedHash =
  | { readonly scheme: 'sha512'; readonly salt: string; readonly hash: string }
  | {
      readonly scheme: 'pbkdf2-sha512';
      readonly iterations: number;
      readonly salt: string;
      readonly hash: string;
    };

export type PasswordHash = ScryptHash | ImportedHash;

/** Whether a password is right; with `renewed`, how it is to be kept from now on. */
export interface Verdict {
  readonly isRight: boolean;
  readonly renewed: ScryptHash | null;
}

const HASH_LENGTH = 32;
const SALT_LENGTH = 16;
const SHA512_LENGTH = 64;

const usualCost: ScryptCost = { n: limits.scryptCost, r: 8, p: 1 };

const scrypted = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt);
const pbkdf2ed = promisify(pbkdf2);

/** Hashes passwords in Node's threads, so many at once that neither those nor the memory are used up. */
export class PasswordHasher {
  readonly #random: Random;
  readonly #cost: ScryptCost;
  readonly #waiting: (() => void)[] = [];
  #free: number = limits.passwordHashesAtOnceMax;

  /** A lower cost is for tests. */
  constructor(random: Random, cost: ScryptCost = usualCost) {
    this.#random = random;
    this.#cost = cost;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work`, which hashes, when its turn has come: first come, first served. */
  async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** A salt for one hash, in base64. */
  salt(): string {
    return Buffer.from(this.#random.bytes(SALT_LENGTH)).toString('base64');
  }

  /** The hash of a password with a new salt. Only to be called in turn. */
  async hash(password: Uint8Array): Promise<ScryptHash> {
    const salt = this.salt();
    const hash = await derived(password, salt, this.#cost);
    return { scheme: 'scrypt', ...this.#cost, salt, hash: hash.toString('base64') };
  }

  /**
   * Compares without telling by its time how much is right; and an unknown user (null) or an imported hash takes as long
   * as any other, so that nobody learns which users there are. Only to be called in turn.
   */
  async verify(kept: PasswordHash | null, password: Uint8Array): Promise<Verdict> {
    if (kept?.scheme === 'scrypt') {
      const hash = await derived(password, kept.salt, kept);
      return { isRight: isSame(hash, kept.hash), renewed: null };
    }
    const renewed = await this.hash(password);
    const isRight = kept !== null && isSame(await imported(kept, password), kept.hash);
    return { isRight, renewed: isRight ? renewed : null };
  }
}

function derived(password: Uint8Array, salt: string, { n, r, p }: ScryptCost): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 2 * limits.scryptBytesMax };
  return scrypted(password, Buffer.from(salt, 'base64'), HASH_LENGTH, options);
}

/** As mosquitto_passwd hashes: PBKDF2, or in old files one SHA-512 of password and salt. */
async function imported(kept: ImportedHash, password: Uint8Array): Promise<Buffer> {
  const salt = Buffer.from(kept.salt, 'base64');
  if (kept.scheme === 'sha512') return createHash('sha512').update(password).update(salt).digest();
  return await pbkdf2ed(password, salt, kept.iterations, SHA512_LENGTH, 'sha512');
}

function isSame(hash: Uint8Array, kept: string): boolean {
  const expected = Buffer.from(kept, 'base64');
  return expected.length === hash.length && timingSafeEqual(expected, hash);
}
