import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type AccessLists, isLegalPattern } from '../../ingest/mqtt/topic-access.ts';
import type { PasswordHash } from './password-hash.ts';
import type { ScramVerifiers } from './scram.ts';

/**
 * Somebody who may log in. A change makes another object of him, so that who holds one can see that it no longer counts;
 * only how the same password is kept is renewed in place.
 */
export interface User {
  readonly name: string;
  /** Null for one who logs in by a client certificate only. */
  password: PasswordHash | null;
  /** Null without a password, and for an imported user who has not logged in yet. */
  scram: ScramVerifiers | null;
  readonly access: AccessLists;
  /** Lists that count instead for a client id of this user. */
  readonly clients: Readonly<Record<string, AccessLists>>;
}

/** What of a user may be shown. */
export interface UserSummary {
  readonly name: string;
  /** Whether the password comes from another broker's file, and its user has not logged in yet. */
  readonly isImported: boolean;
  /** Without one a user logs in by a client certificate only. */
  readonly hasPassword: boolean;
  readonly access: AccessLists;
  readonly clients: Readonly<Record<string, AccessLists>>;
}

/** New lists; null takes one back, to that of the user for a client id, and to the default for a user. */
export interface AccessPatch {
  readonly publish?: readonly string[] | null;
  readonly subscribe?: readonly string[] | null;
}

/** The lists that count for a client id of the user. */
export const accessOf = ({ access, clients }: User, clientId: string): AccessLists => ({
  ...access,
  ...listsOf(clients, clientId),
});

/** The lists of a client id itself, which may be called `constructor`. */
export const listsOf = (clients: User['clients'], clientId: string): AccessLists | undefined =>
  Object.hasOwn(clients, clientId) ? clients[clientId] : undefined;

/** Without any secret. */
export function summaryOf({ name, password, access, clients }: User): UserSummary {
  const isImported = password !== null && password.scheme !== 'scrypt';
  return { name, isImported, hasPassword: password !== null, access, clients };
}

/** What user names are, in words. */
const nameRule = `1 to ${limits.userNameBytesMax} bytes of text without ":", "/", "+", "#", control characters, or a "$" at the beginning`;

/** Whether it may be the name of a user: one level of an MQTT topic, so that it can be filled in for `%u`. */
export const isLegalUserName = (name: string): boolean =>
  name !== '' && Buffer.byteLength(name) <= limits.userNameBytesMax && !/^\$|[:/+#\p{Cc}]/u.test(name);

/** @throws OperatingError `illegal-user` */
export function requireLegalName(name: string): void {
  if (isLegalUserName(name)) return;
  const shown = JSON.stringify(name.slice(0, limits.quotedAnswerLengthMax));
  throw new OperatingError('illegal-user', `choose another name: a user name is ${nameRule}, not ${shown}`);
}

/** @throws OperatingError `illegal-user` */
export function requireLegalPassword(password: string): void {
  if (password === '' || Buffer.byteLength(password) > limits.answerLengthMax)
    throw new OperatingError(
      'illegal-user',
      `choose another password: it is 1 to ${limits.answerLengthMax} bytes long`,
    );
}

/**
 * The lists with the patch in them.
 * @throws OperatingError `illegal-user` for what is no pattern, or too many
 */
export function patchedAccess(lists: AccessLists, patch: AccessPatch): AccessLists {
  const merged = Object.entries({ ...lists, ...patch }).filter(
    (entry): entry is [string, readonly string[]] => entry[1] !== null && entry[1] !== undefined,
  );
  for (const [, patterns] of merged) {
    if (patterns.length > limits.topicPatternsMax)
      throw new OperatingError('illegal-user', `give at most ${limits.topicPatternsMax} patterns in a list`);
    const bad = patterns.find((pattern) => !isLegalPattern(pattern));
    if (bad === undefined) continue;
    throw new OperatingError(
      'illegal-user',
      `write a topic, in which + stands for one level, # at the end for all that follow, %u for the user and %c for ` +
        `the client id, not ${JSON.stringify(bad.slice(0, limits.quotedAnswerLengthMax))}`,
    );
  }
  return Object.fromEntries(merged);
}
