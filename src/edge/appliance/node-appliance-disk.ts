import { chown, lstat, open, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { OperatingError } from '../../core/errors.ts';
import { readAtMost } from '../../platform/bounded-file.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import type { ApplianceDisk, Readers } from './appliance-disk.ts';

/** The user of the gateway; null where files belong to whoever runs the command. */
export interface GatewayUser {
  readonly uid: number;
  readonly gid: number;
}

const modes: Readonly<Record<Readers, number>> = { everybody: 0o644, gateway: 0o640, administrator: 0o600 };

/** The file systems of this machine. */
export function nodeApplianceDisk(gatewayUser: GatewayUser | null): ApplianceDisk {
  const give = async (path: string, readers: Readers): Promise<void> => {
    if (readers === 'gateway' && gatewayUser !== null) await chown(path, 0, gatewayUser.gid);
  };
  return {
    read: readOrNull,
    list: (folder) => orNone(readdir(folder), []),
    changedMs: async (path) =>
      await orNone(
        stat(path).then(({ mtimeMs }) => mtimeMs),
        null,
      ),
    async makeFolder(path, readers) {
      // Whoever may read the files in a folder may enter it.
      const mode = modes[readers] | ((modes[readers] & 0o444) >> 2);
      await makeFolder(path, mode);
      await give(path, readers);
    },
    async write(path, content, readers) {
      const file = await open(path, 'w', modes[readers]);
      try {
        await give(path, readers);
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    link: symlink,
    async linkTarget(path) {
      const isLink = await orNone(
        lstat(path).then((there) => there.isSymbolicLink()),
        false,
      );
      return isLink ? await readlink(path) : null;
    },
    rename,
    remove: (path) => rm(path, { recursive: true, force: true }),
    async sync(folder) {
      const handle = await open(folder, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

async function readOrNull(path: string, bytesMax: number): Promise<Uint8Array | null> {
  const bytes = await orNone(readAtMost(path, bytesMax), undefined);
  if (bytes === undefined) return null;
  if (bytes !== null) return bytes;
  throw new OperatingError('bad-input', `it is longer than ${bytesMax} bytes`);
}

async function orNone<Value, None>(reading: Promise<Value>, none: None): Promise<Value | None> {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return none;
    throw error;
  }
}
