import { resolve } from 'node:path';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { AccessLists } from '../../ingest/mqtt/topic-access.ts';
import { readAtMost } from '../../platform/bounded-file.ts';
import { type ImportedUser, readPasswdFile } from '../users/mosquitto-passwd.ts';
import type { AccessPatch, UserSummary } from '../users/user.ts';
import type { Imported, UserAdministration, UserChange } from '../users/users.ts';
import { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { readPassword } from './password-input.ts';
import type { Terminal } from './terminal.ts';

/** What the commands for users work on. */
export interface DevicesContext {
  readonly dataDir: string;
  readonly terminal: Terminal;
}

/** Lists as options of the command line: patterns, nowhere (false), or back to the default. */
export interface AccessOptions {
  readonly publish?: readonly string[] | false;
  readonly subscribe?: readonly string[] | false;
}

/** The lists that the options give, and nothing else; the word `default` alone takes a list back. */
export function accessPatch({ publish, subscribe }: AccessOptions): AccessPatch {
  const listOf = (given: readonly string[] | false) => {
    if (given === false) return [];
    return given.length === 1 && given[0] === 'default' ? null : given;
  };
  return {
    ...(publish !== undefined && { publish: listOf(publish) }),
    ...(subscribe !== undefined && { subscribe: listOf(subscribe) }),
  };
}

/** `headwater devices list`. */
export async function listUsers(context: DevicesContext, json: boolean): Promise<ExitCode> {
  const users = await administer(context, { mayBegin: false }, (store) => store.list());
  const text = json ? JSON.stringify({ users }) : userRows(users).join('\n');
  await context.terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** `headwater devices add`: the user is durable, and can log in, once this has resolved. */
export async function addUser(
  context: DevicesContext,
  name: string,
  options: AccessOptions & { readonly passwordFile?: string; readonly certificate?: true },
): Promise<ExitCode> {
  const secrets =
    options.certificate === true
      ? {}
      : { password: await readPassword(context.terminal, options.passwordFile) };
  const access = accessPatch(options);
  const user = await administer(context, { mayBegin: true }, (store) =>
    store.add({ name, ...secrets, access }),
  );
  return await show(context, `added ${userRows([user]).join('\n')}`);
}

/** `headwater devices passwd`: whoever is connected as this user is cut off. */
export async function setPassword(
  context: DevicesContext,
  name: string,
  passwordFile: string | undefined,
): Promise<ExitCode> {
  const password = await readPassword(context.terminal, passwordFile);
  await administer(context, { mayBegin: false }, (store) => store.change(name, { password }));
  return await show(context, `user ${name} has a new password`);
}

/** `headwater devices set`: whoever is connected as this user is cut off, and comes back with the new rights. */
export async function setAccess(
  context: DevicesContext,
  name: string,
  options: AccessOptions & { readonly client?: string },
): Promise<ExitCode> {
  const { client } = options;
  const change: UserChange = {
    access: accessPatch(options),
    ...(client !== undefined && { clientId: client }),
  };
  const user = await administer(context, { mayBegin: false }, (store) => store.change(name, change));
  return await show(context, userRows([user]).join('\n'));
}

/** `headwater devices remove`: whoever is connected as this user is cut off. */
export async function removeUser(context: DevicesContext, name: string): Promise<ExitCode> {
  await administer(context, { mayBegin: false }, (store) => store.remove(name));
  return await show(context, `removed user ${name}`);
}

/** `headwater devices import`: takes the users of a file of mosquitto_passwd over; those that are here already stay. */
export async function importUsers(context: DevicesContext, file: string): Promise<ExitCode> {
  const users = await passwdUsers(resolve(context.terminal.workingDirectory, file), file);
  const { added, kept } = await administer(context, { mayBegin: true }, (store) => store.import(users));
  const stayed = kept.length === 0 ? '' : `; here already, and unchanged: ${kept.join(', ')}`;
  return await show(context, `added ${added.length === 0 ? 'nobody' : added.join(', ')}${stayed}`);
}

async function show({ terminal }: DevicesContext, text: string): Promise<ExitCode> {
  await terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** Asks the running gateway, or if there is none works on its data folder; `mayBegin` makes that if it is missing. */
async function administer<Result>(
  { dataDir, terminal }: DevicesContext,
  { mayBegin }: { readonly mayBegin: boolean },
  work: (users: UserAdministration) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(usersOf(await AdminClient.find(dataDir)));
  } catch (error) {
    if (!(error instanceof OperatingError) || error.code !== 'gateway-not-running') throw error;
    // Loaded only now: the lock comes with a database.
    const { administerStopped, holdsUsers } = await import('../users/stopped-users.ts');
    if (!mayBegin && !holdsUsers(dataDir)) throw error;
    await terminal.errors.write(`no gateway is running: working on the data folder ${dataDir} itself\n`);
    return await administerStopped(dataDir, work);
  }
}

/** The users of a running gateway. */
function usersOf(client: AdminClient): UserAdministration {
  const pathOf = (name: string): string => `/api/users/${encodeURIComponent(name)}`;
  return {
    list: async () => ((await client.json('GET', '/api/users')) as { users: readonly UserSummary[] }).users,
    add: async (user) => (await client.json('POST', '/api/users', user)) as UserSummary,
    change: async (name, change) => (await client.json('PATCH', pathOf(name), change)) as UserSummary,
    remove: async (name) => (await client.json('DELETE', pathOf(name))) as UserSummary,
    import: async (users) => (await client.json('POST', '/api/users/import', { users })) as Imported,
  };
}

async function passwdUsers(path: string, file: string): Promise<readonly ImportedUser[]> {
  let bytes: Buffer | null;
  try {
    bytes = await readAtMost(path, limits.usersFileBytesMax);
  } catch (error) {
    throw new OperatingError('bad-input', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (bytes === null)
    throw new OperatingError('bad-input', `${file} is too long to be a file of mosquitto_passwd`);
  const read = readPasswdFile(bytes.toString('utf8'));
  if ('users' in read) return read.users;
  throw new OperatingError(
    'bad-input',
    read.problems
      .slice(0, limits.configProblemsShownMax)
      .map((problem) => `${file}: ${problem}`)
      .join('\n'),
  );
}

/** Shown where there is no list. */
const anywhere: AccessLists = { publish: ['everywhere'], subscribe: ['everywhere'] };

/** Some lines for each user, in the order of their names. */
function userRows(users: readonly UserSummary[]): readonly string[] {
  if (users.length === 0) return ['no users yet'];
  return users
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name, isImported, hasPassword, access, clients }) => [
      `user ${name}${isImported ? ' (imported; not logged in yet)' : ''}${hasPassword ? '' : ' (by certificate only)'}: ${accessText({ ...anywhere, ...access })}`,
      ...Object.entries(clients).map(([id, lists]) => `  as client ${id}: ${accessText(lists)}`),
    ]);
}

function accessText({ publish, subscribe }: AccessLists): string {
  const shown = (patterns: readonly string[]): string =>
    patterns.length === 0 ? 'nothing' : patterns.join(' ');
  return [
    ...(publish === undefined ? [] : [`publishes ${shown(publish)}`]),
    ...(subscribe === undefined ? [] : [`subscribes ${shown(subscribe)}`]),
  ].join(', ');
}
