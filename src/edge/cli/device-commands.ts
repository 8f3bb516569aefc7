import type { CommandContext } from './command-context.ts';
import { type CommandLine, collect } from './command-line.ts';
import { listConnected } from './connected-clients.ts';
import {
  type AccessOptions,
  accessPatch,
  addUser,
  type DevicesContext,
  importUsers,
  listUsers,
  removeUser,
  setAccess,
  setPassword,
} from './devices.ts';
import { exitCodes } from './exit-code.ts';

/** Adds `devices` with its commands: who may log in to the MQTT port. */
export function addDevices(
  program: CommandLine,
  { terminal, dataDir, gateway, endWith }: CommandContext,
): void {
  const devices = program
    .command('devices')
    .description(
      'users of the MQTT port, of a running gateway or of the data folder of a stopped one; and who is connected',
    );
  const context = async (): Promise<DevicesContext> => ({ dataDir: await dataDir(), terminal });
  devices
    .command('list')
    .description('list the users, and where they may publish and subscribe')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) => endWith(await listUsers(await context(), json === true)));
  devices
    .command('connected')
    .description('list the clients that are connected to the running gateway, and what has come from each')
    .argument('[text]', 'only those with this text in their id, user or address')
    .option('--json', 'as one JSON object')
    .action(async (text: string | undefined, { json }: { json?: true }) =>
      endWith(await listConnected(await gateway(), terminal, { search: text ?? '', json: json === true })),
    );
  withAccess(devices.command('add'))
    .description('add a user; the password is asked for, or the first line of standard input')
    .argument('<name>')
    .option('--password-file <file>', 'the file that holds the password')
    .option('--certificate', 'no password: it logs in by a client certificate with this common name')
    .action(
      async (
        name: string,
        options: AccessOptions & { passwordFile?: string; certificate?: true },
        command: CommandLine,
      ) => {
        if (options.certificate === true && options.passwordFile !== undefined)
          command.error('error: --certificate is for a user without a password', {
            exitCode: exitCodes.usage,
          });
        endWith(await addUser(await context(), name, options));
      },
    );
  withAccess(devices.command('set'))
    .description('change where a user may publish and subscribe; the value "default" takes a list back')
    .argument('<name>')
    .option('--client <id>', 'lists that count for this client id of the user instead')
    .action(async (name: string, options: AccessOptions & { client?: string }, command: CommandLine) => {
      if (Object.keys(accessPatch(options)).length === 0)
        command.error("error: say what to change, such as --publish 'sensors/%u/#'", {
          exitCode: exitCodes.usage,
        });
      endWith(await setAccess(await context(), name, options));
    });
  devices
    .command('passwd')
    .description('change a password, given as for add; connections of the user are closed')
    .argument('<name>')
    .option('--password-file <file>', 'the file that holds the password')
    .action(async (name: string, { passwordFile }: { passwordFile?: string }) =>
      endWith(await setPassword(await context(), name, passwordFile)),
    );
  devices
    .command('remove')
    .description('remove a user; connections of the user are closed')
    .argument('<name>')
    .action(async (name: string) => endWith(await removeUser(await context(), name)));
  devices
    .command('import')
    .description('add the users of a file that mosquitto_passwd has written, with their passwords')
    .argument('<file>')
    .action(async (file: string) => endWith(await importUsers(await context(), file)));
}

function withAccess(command: CommandLine): CommandLine {
  const words = 'with + and # as in MQTT, %u for the user, %c for the client id; may be repeated';
  return command
    .option('--publish <pattern>', `topics to publish to, ${words} (default: all but those with $)`, collect)
    .option('--no-publish', 'publish nothing')
    .option('--subscribe <pattern>', 'topics to subscribe to, in the same way', collect)
    .option('--no-subscribe', 'subscribe to nothing');
}
