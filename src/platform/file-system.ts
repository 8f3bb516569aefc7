import { readFile, realpath } from 'node:fs/promises';

/** The file system that holds a path, as Linux calls it. */
export interface FileSystem {
  /** Such as ext4, tmpfs or overlay. */
  readonly kind: string;
  readonly options: readonly string[];
}

/** That of this path; null if it cannot be told, as where there is no /proc. */
export async function fileSystemOf(path: string): Promise<FileSystem | null> {
  try {
    return fileSystemIn(await readFile('/proc/self/mountinfo', 'utf8'), await realpath(path));
  } catch {
    return null;
  }
}

/** The same from the text of mountinfo (proc_pid_mountinfo(5)): the deepest mount above the path, the last one of those. */
export function fileSystemIn(mountinfo: string, path: string): FileSystem | null {
  let found: { readonly point: string; readonly fileSystem: FileSystem } | null = null;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', superblock = ''] = line.split(' - ');
    const [, , , , written, mountOptions] = mount.split(' ');
    const [kind, , superOptions] = superblock.split(' ');
    if (written === undefined || kind === undefined || kind === '') continue;
    const point = written.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    if (!isAbove || (found !== null && found.point.length > point.length)) continue;
    const options = `${mountOptions ?? ''},${superOptions ?? ''}`.split(',');
    found = { point, fileSystem: { kind, options } };
  }
  return found?.fileSystem ?? null;
}
