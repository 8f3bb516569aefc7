import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './board.ts';

export const login = { username: 'kitchen', password: 'a-secret-of-the-kitchen' } as const;

/** As small as the smallest cards in shops. */
export const CARD_MIB = 4096;

const output = fileURLToPath(new URL('../../test-output/deploy', import.meta.url));

/** A file that stays after the tests, for whoever wants to see. */
export async function kept(name: string): Promise<string> {
  await mkdir(output, { recursive: true });
  return join(output, name);
}

/** A pair of keys for ssh. */
export async function sshKeys(
  folder: string,
): Promise<{ readonly file: string; readonly publicKey: string }> {
  const file = join(folder, 'key');
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** A boot file as somebody writes it who begins. */
export const bootFile = (publicKey: string, more = ''): string =>
  [
    '# My first gateway',
    'gateway: { name: gw1, site: lab }',
    'appliance:',
    '  hostName: pumphouse',
    `  sshKeys: [${publicKey}]`,
    `  mqttUsers: [{ name: ${login.username}, password: ${login.password} }]`,
    more,
    '',
  ].join('\n');
