import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));

/** Long enough for a start on a busy machine; what never ends is killed then, and has no exit code. */
const timeout = 30_000;

/** Ends with its exit code, and what it printed on both outputs. */
function headwater(...words: string[]): Promise<{ code: unknown; printed: string }> {
  return new Promise((resolve) => {
    const limit = { timeout, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [main, ...words], limit, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, printed: out + err }),
    );
  });
}

/** The kernel's own file system takes no folders, and says so in a way that Node's own making of parents asks about for ever. */
test('a data folder where none can be made ends the start with what to do', async () => {
  const started = await headwater('run', '--set', 'data.dir=/proc/x/y');
  expect(started.printed).toMatch(
    /cannot use \/proc\/x\/y as the data folder: .*\/proc\/x.* Set data\.dir to/,
  );
  expect(started.code).toBe(2);
});
