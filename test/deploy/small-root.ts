import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt } from './commands.ts';

/** What is needed of the machine that a script runs on; all else of the root is the test's. */
const enter = [
  'mount --rbind /usr "$0/usr"',
  'mount --bind /dev/null "$0/dev/null"',
  'exec chroot "$0" env -i PATH=/stand-ins:/usr/sbin:/usr/bin sh "$@"',
].join(' && ');

/** A root in which a script of the image runs on made-up hardware: programs that would touch a disk only note how they were called. */
export class SmallRoot {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @param path an empty folder */
  static async in(path: string): Promise<SmallRoot> {
    const root = new SmallRoot(path);
    for (const name of ['usr', 'dev', 'run', 'etc', 'stand-ins']) await mkdir(join(path, name));
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(path, name));
    await root.write('dev/null', '');
    await root.write('calls', '');
    return root;
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.#path, name)), { recursive: true });
    await writeFile(join(this.#path, name), text);
  }

  async link(name: string, target: string): Promise<void> {
    await mkdir(dirname(join(this.#path, name)), { recursive: true });
    await symlink(target, join(this.#path, name));
  }

  /** Empty if there is none. */
  text(name: string): Promise<string> {
    return readFile(join(this.#path, name), 'utf8').catch(() => '');
  }

  async mode(name: string): Promise<string> {
    return ((await stat(join(this.#path, name))).mode & 0o777).toString(8);
  }

  /** Has a program note its calls, and do this. */
  async standIn(program: string, script = ''): Promise<void> {
    const file = join(this.#path, 'stand-ins', program);
    await writeFile(file, `#!/bin/sh\necho "${program} $*" >>/calls\n${script}\n`);
    await chmod(file, 0o755);
  }

  /** How the programs were called, in this order. */
  async calls(): Promise<readonly string[]> {
    return (await this.text('calls')).split('\n').filter(Boolean);
  }

  /** Runs a script of this machine inside. */
  async run(script: string): Promise<{ readonly code: number; readonly said: string }> {
    await this.write('script', await readFile(script, 'utf8'));
    return await attempt('unshare', ['--map-root-user', '--mount', 'sh', '-c', enter, this.#path, '/script']);
  }
}
