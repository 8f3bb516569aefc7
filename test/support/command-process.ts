import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));

/** Runs the command line on a data folder as a process of its own, with nobody to ask. */
export async function headwaterProcess(dataDir: string, words: readonly string[], input = '') {
  const child = spawn(process.execPath, [main, ...words, '--set', `data.dir=${dataDir}`]);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}
