import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

/* The demo as a visitor without a terminal sees it: `npm run demo | cat`. */

const MAIN = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

interface DemoRun {
  readonly ended: Promise<number | null>;
  text(): string;
  interrupt(): void;
}

function startDemo(folderForAll: string, args: readonly string[]): DemoRun {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, TMPDIR: folderForAll, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { ended, text: () => text, interrupt: () => void child.kill('SIGINT') };
}

test('shows a recorded failure seen before it happened, all that was sent in the log, and leaves nothing behind', async () => {
  await using folder = await temporaryFolder();
  const demo = startDemo(folder.path, ['--seconds', '0']);
  const code = await demo.ended;
  const text = demo.text();
  expect(text).toMatch(/✔ An alert came .*before the recorded failure of the machine\./);
  expect(text).toContain('✔ 4 of 4 faults');
  expect(text).toContain('✔ 45,378 readings were sent over MQTT, 45,378 of them acknowledged, and 250 lines');
  expect(text).toContain('✔ The gateway has stopped and its folder is gone');
  expect(text).not.toContain('\u001b');
  expect(code).toBe(0);
  expect(await readdir(folder.path)).toEqual([]);
});

test('interrupted, it stops the gateway and leaves nothing behind', async () => {
  await using folder = await temporaryFolder();
  const demo = startDemo(folder.path, ['--seconds', '600']);
  await expect.poll(demo.text, { timeout: 20_000 }).toContain('synced commits');
  expect(await readdir(folder.path)).toHaveLength(1);
  demo.interrupt();
  expect(await demo.ended).toBe(130);
  expect(demo.text()).toContain('interrupted; the gateway has stopped and its folder is gone');
  expect(await readdir(folder.path)).toEqual([]);
});

test('says what has failed, and fails', async () => {
  await using folder = await temporaryFolder();
  const demo = startDemo(join(folder.path, 'missing'), ['--seconds', '0']);
  expect(await demo.ended).toBe(1);
  expect(demo.text()).toContain('the demo has failed: Error: ENOENT');
});

test('does not guess what a wrong argument means', async () => {
  await using folder = await temporaryFolder();
  const demo = startDemo(folder.path, ['--seconds', 'soon']);
  expect(await demo.ended).toBe(2);
  expect(demo.text()).toContain('npm run demo [-- --seconds N]');
});
