import { isOperatingError, OperatingError } from '../../core/errors.ts';
import { claimCodePath, readClaimCode } from '../admin/access/claim-code.ts';
import { readGatewayFile } from '../gateway-file.ts';
import { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { readPassword } from './password-input.ts';
import type { Terminal } from './terminal.ts';

/**
 * `headwater admin passwd`: sets the password of the running gateway, or in the data folder of a stopped one.
 * @throws OperatingError `bad-input` without a password, or one that cannot be; as {@link AdminClient.json}
 */
export async function setAdminPassword(
  dataDir: string,
  terminal: Terminal,
  passwordFile: string | undefined,
): Promise<ExitCode> {
  const password = await readPassword(terminal, passwordFile);
  try {
    const client = await AdminClient.find(dataDir);
    await client.json('POST', '/api/password', { password });
  } catch (error) {
    if (!isOperatingError(error) || error.code !== 'gateway-not-running') throw error;
    // Loaded only now: the lock comes with a database.
    const { setStoppedPassword } = await import('../admin/access/stopped-password.ts');
    await terminal.errors.write(`no gateway is running: working on the data folder ${dataDir} itself\n`);
    await setStoppedPassword(dataDir, password);
  }
  await terminal.output.write('the password of the page is set; whoever was logged in has to log in again\n');
  return exitCodes.ok;
}

/**
 * `headwater admin claim-code`: the code by which a browser sets the first password.
 * @throws OperatingError `bad-input` if there is none, `gateway-unreachable` if this user may not read it
 */
export async function showClaimCode(dataDir: string, terminal: Terminal): Promise<ExitCode> {
  const code = await read(dataDir);
  if (code === null)
    throw new OperatingError(
      'bad-input',
      'there is no code: the gateway has never run, or its password is set already. headwater admin passwd sets another one',
    );
  if ((await readGatewayFile(dataDir)) === null)
    await terminal.errors.write('no gateway is running: its next start makes another code\n');
  await terminal.output.write(`${code}\n`);
  return exitCodes.ok;
}

async function read(dataDir: string): Promise<string | null> {
  try {
    return await readClaimCode(dataDir);
  } catch (error) {
    const message = `${claimCodePath(dataDir)} cannot be read; run this command as the user who runs the gateway`;
    throw new OperatingError('gateway-unreachable', message, { cause: error });
  }
}
