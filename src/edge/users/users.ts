import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { ScramMechanism } from '../../forwarder/kafka/scram-keys.ts';
import type { AccessLists } from '../../ingest/mqtt/topic-access.ts';
import { replaceFile } from '../../platform/data-folder.ts';
import type { ImportedUser } from './mosquitto-passwd.ts';
import type { PasswordHash, PasswordHasher, ScryptHash } from './password-hash.ts';
import { type ScramVerifiers, scramVerifier } from './scram.ts';
import {
  type AccessPatch,
  listsOf,
  patchedAccess,
  requireLegalName,
  requireLegalPassword,
  summaryOf,
  type User,
  type UserSummary,
} from './user.ts';
import { readUsersFile, USERS_FILE, type UsersFile, usersFileText } from './users-file.ts';

export interface NewUser {
  readonly name: string;
  /** Without one the user logs in by a client certificate of that name only. */
  readonly password?: string;
  readonly access?: AccessPatch;
}

export interface UserChange {
  readonly password?: string;
  readonly access?: AccessPatch;
  /** The client id whose lists `access` means, instead of the user's own. */
  readonly clientId?: string;
}

/** What became of an import. */
export interface Imported {
  readonly added: readonly string[];
  /** These names were there already, and keep their passwords. */
  readonly kept: readonly string[];
}

/** What is done with users, by a running gateway or on the folder of a stopped one. Each change is durable once it has resolved. */
export interface UserAdministration {
  list(): Promise<readonly UserSummary[]>;
  /** @throws OperatingError `user-exists`, `illegal-user`, `too-many-users`, `data-folder-unusable` */
  add(user: NewUser): Promise<UserSummary>;
  /** @throws OperatingError `unknown-user`, and as {@link add} */
  change(name: string, change: UserChange): Promise<UserSummary>;
  /** @throws OperatingError `unknown-user`, `data-folder-unusable` */
  remove(name: string): Promise<UserSummary>;
  /** @throws OperatingError as {@link add} */
  import(users: readonly ImportedUser[]): Promise<Imported>;
}

const OWNER_ONLY = 0o600;

/** The users of a data folder: read once, and written with every change before it counts. */
export class Users implements UserAdministration {
  readonly #dataDir: string;
  readonly #hasher: PasswordHasher;
  #file: UsersFile;
  #byName: ReadonlyMap<string, User>;
  #last: Promise<unknown> = Promise.resolve();
  #changed: () => void = () => {};

  private constructor(dataDir: string, hasher: PasswordHasher, file: UsersFile) {
    this.#dataDir = dataDir;
    this.#hasher = hasher;
    this.#file = file;
    this.#byName = new Map(file.kind === 'users' ? file.users.map((user) => [user.name, user]) : []);
  }

  /** Reads the users. A file that cannot be used holds nobody: `problem` says so. */
  static async open(dataDir: string, hasher: PasswordHasher): Promise<Users> {
    return new Users(dataDir, hasher, await readUsersFile(dataDir));
  }

  /** Whether there never were any. */
  get isUnused(): boolean {
    return this.#file.kind === 'none';
  }

  get count(): number {
    return this.#byName.size;
  }

  /** What is wrong with the file, and what to do; null if nothing is. */
  get problem(): string | null {
    return 'problem' in this.#file ? this.#file.problem : null;
  }

  find(name: string): User | null {
    return this.#byName.get(name) ?? null;
  }

  /** Calls back after each change that somebody has asked for. */
  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  list(): Promise<readonly UserSummary[]> {
    return Promise.resolve([...this.#byName.values()].map(summaryOf));
  }

  async add({ name, password, access = {} }: NewUser): Promise<UserSummary> {
    requireLegalName(name);
    if (password !== undefined) requireLegalPassword(password);
    const lists = patchedAccess({}, access);
    const secrets =
      password === undefined ? { password: null, scram: null } : await this.#secretsOf(password);
    return await this.#change((users) => {
      if (users.has(name))
        throw new OperatingError(
          'user-exists',
          `there is a user ${name} already; to change the password: headwater devices passwd ${name}`,
        );
      const user: User = { name, ...secrets, access: lists, clients: {} };
      users.set(name, user);
      return summaryOf(user);
    });
  }

  async change(name: string, { password, access = {}, clientId }: UserChange): Promise<UserSummary> {
    if (password !== undefined) requireLegalPassword(password);
    this.#require(this.#byName, name);
    const secrets = password === undefined ? {} : await this.#secretsOf(password);
    return await this.#change((users) => {
      const present = { ...this.#require(users, name), ...secrets };
      const user: User =
        clientId === undefined
          ? { ...present, access: patchedAccess(present.access, access) }
          : { ...present, clients: patchedClients(present.clients, clientId, access) };
      users.set(name, user);
      return summaryOf(user);
    });
  }

  async remove(name: string): Promise<UserSummary> {
    return await this.#change((users) => {
      const user = this.#require(users, name);
      users.delete(name);
      return summaryOf(user);
    });
  }

  async import(imported: readonly ImportedUser[]): Promise<Imported> {
    for (const { name } of imported) requireLegalName(name);
    return await this.#change((users) => {
      const kept = imported.filter(({ name }) => users.has(name)).map(({ name }) => name);
      const added = imported.filter(({ name }) => !users.has(name));
      for (const { name, password } of added)
        users.set(name, { name, password, scram: null, access: {}, clients: {} });
      return { added: added.map(({ name }) => name), kept };
    });
  }

  /**
   * Keeps a password that has just proved right in our own way, instead of what was imported. The user stays the same:
   * nobody is told of a change.
   */
  async renew(user: User, password: Uint8Array, hash: ScryptHash): Promise<void> {
    const scram = await this.#hasher.inTurn(() => this.#scramOf(password));
    await this.#inTurn(async () => {
      if (this.find(user.name) !== user) return;
      await this.#write(
        [...this.#byName.values()].map((other) =>
          other === user ? { ...user, password: hash, scram } : other,
        ),
      );
      user.password = hash;
      user.scram = scram;
    });
  }

  /** Resolves once nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #require(users: ReadonlyMap<string, User>, name: string): User {
    const user = users.get(name);
    if (user !== undefined) return user;
    throw new OperatingError(
      'unknown-user',
      `there is no user ${name}; headwater devices list shows those that there are`,
    );
  }

  #secretsOf(text: string): Promise<{ password: PasswordHash; scram: ScramVerifiers }> {
    const password = Buffer.from(text);
    return this.#hasher.inTurn(async () => ({
      password: await this.#hasher.hash(password),
      scram: await this.#scramOf(password),
    }));
  }

  async #scramOf(password: Uint8Array): Promise<ScramVerifiers> {
    const verifier = (mechanism: ScramMechanism) =>
      scramVerifier(mechanism, password, this.#hasher.salt(), limits.scramIterations);
    return {
      'SCRAM-SHA-256': await verifier('SCRAM-SHA-256'),
      'SCRAM-SHA-512': await verifier('SCRAM-SHA-512'),
    };
  }

  async #change<Result>(change: (users: Map<string, User>) => Result): Promise<Result> {
    return await this.#inTurn(async () => {
      const users = new Map(this.#byName);
      const result = change(users);
      await this.#write([...users.values()]);
      this.#byName = users;
      this.#changed();
      return result;
    });
  }

  async #write(users: readonly User[]): Promise<void> {
    if (this.#file.kind === 'later') throw new OperatingError('unreadable-format', this.#file.problem);
    const text = usersFileText(users);
    if (users.length > limits.usersMax || Buffer.byteLength(text) > limits.usersFileBytesMax)
      throw new OperatingError(
        'too-many-users',
        `there is room for ${limits.usersMax} users and ${limits.usersFileBytesMax} bytes in all: remove users or lists that nobody needs`,
      );
    const path = join(this.#dataDir, USERS_FILE);
    if (this.#file.kind === 'damaged') await keepDamaged(path);
    await replaceFile(path, text, OWNER_ONLY);
    this.#file = { kind: 'users', users };
  }

  /** One after the other: each change begins with what the one before has written. */
  async #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}

/** Nobody is asked to remove it by hand, and somebody may still find out what was in it. */
async function keepDamaged(path: string): Promise<void> {
  try {
    await copyFile(path, `${path}.damaged`);
  } catch (error) {
    const message = `${path} is damaged and cannot be copied (${messageOf(error)}): move it away and try again`;
    throw new OperatingError('data-folder-unusable', message, { cause: error });
  }
}

function patchedClients(clients: User['clients'], clientId: string, patch: AccessPatch): User['clients'] {
  const lists: AccessLists = patchedAccess(listsOf(clients, clientId) ?? {}, patch);
  const others = Object.entries(clients).filter(([id]) => id !== clientId);
  const entries = Object.keys(lists).length === 0 ? others : [...others, [clientId, lists] as const];
  if (entries.length > limits.clientListsMax)
    throw new OperatingError(
      'illegal-user',
      `a user has lists for at most ${limits.clientListsMax} client ids; give the others users of their own, or write %c in the user's list`,
    );
  return Object.fromEntries(entries);
}
