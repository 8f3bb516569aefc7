import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { whyUnreadable } from '../pem-files.ts';
import type { ApplianceDisk } from './appliance-disk.ts';
import { BOOT_FILE } from './boot-file-problems.ts';

/** The boot file as it was found: its text, or why there is no reading it, or nothing. */
export type FoundBootFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly bytes: Uint8Array; readonly text: string }
  | { readonly kind: 'unreadable'; readonly problem: string };

/** What Windows and other systems make of the name, and do not always show. */
const mistakenNames = ['headwater.yaml.txt', 'headwater.yml', 'headwater.yml.txt', 'headwater.txt'];

/** Looks for the boot file. Never rejects. */
export async function findBootFile(disk: ApplianceDisk, boot: string): Promise<FoundBootFile> {
  try {
    const bytes = await disk.read(`${boot}/${BOOT_FILE}`, limits.configFileBytesMax);
    if (bytes === null) return await mistaken(disk, boot);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { kind: 'text', bytes, text };
  } catch (error) {
    return { kind: 'unreadable', problem: `${BOOT_FILE}:1:1: ${whyNoText(error)}` };
  }
}

async function mistaken(disk: ApplianceDisk, boot: string): Promise<FoundBootFile> {
  const names = await disk.list(boot);
  const found = names.find((name) => mistakenNames.includes(name.toLowerCase()));
  if (found === undefined) return { kind: 'none' };
  const hidden = found.endsWith('.txt')
    ? ' (Windows may hide the ".txt"; it shows it by View, File name extensions)'
    : '';
  return { kind: 'unreadable', problem: `${found} is not read: rename it to ${BOOT_FILE}${hidden}` };
}

function whyNoText(error: unknown): string {
  if (error instanceof TypeError) return 'this is not UTF-8 text; save it as UTF-8';
  if (error instanceof OperatingError) return `${error.message}, so it is not a configuration`;
  return `this cannot be read: ${whyUnreadable(error)}`;
}

/** Reads a file beside the boot file: its text, or what is wrong with it. Never rejects. */
export async function readBeside(
  disk: ApplianceDisk,
  boot: string,
  fileName: string,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const bytes = await disk.read(`${boot}/${fileName}`, limits.credentialFileBytesMax);
    if (bytes === null)
      return { problem: `no file of this name lies beside ${BOOT_FILE}; copy it there, or correct the name` };
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Editors end the last line, and a password has none.
    return { text: text.includes('-----BEGIN') ? text : text.replace(/\r?\n$/, '') };
  } catch (error) {
    return { problem: `this file cannot be used: ${whyNoText(error)}` };
  }
}
