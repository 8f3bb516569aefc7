import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const source = new URL('../../src/edge/service-log.ts', import.meta.url);
/** Writes a line and dies, with nobody to write what is left. */
const program = `import { serviceLog } from ${JSON.stringify(source.href)};
const log = serviceLog('info').child({ part: 'log' });
log.debug({}, 'not shown');
log.info({}, 'the first word');
log.error({ tries: 2 }, 'the last word');
process.kill(process.pid, 'SIGKILL');`;
const dying = ['--input-type=module', '--eval', program];
const timeout = 15_000;

test('on a real terminal the service log is lines for people, the last one before a crash included', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'dying.mjs');
  await writeFile(path, program);
  const typescript = join(folder.path, 'typescript');
  spawnSync('script', ['--quiet', '--command', `${process.execPath} ${path}`, typescript], { timeout });
  expect(await readFile(typescript, 'utf8')).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} error log: the last word tries=2\r$/m,
  );
});

test('in a pipe it is JSON, the last line before a crash included', () => {
  const { stderr, signal } = spawnSync(process.execPath, dying, { encoding: 'utf8', timeout });
  expect(signal).toBe('SIGKILL');
  expect(JSON.parse(stderr.split('\n')[1] ?? '')).toMatchObject({
    level: 'error',
    part: 'log',
    message: 'the last word',
    tries: 2,
  });
});

test('in the journal it has priorities', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'journal');
  const journal = openSync(path, 'a');
  const { dev, ino } = fstatSync(journal, { bigint: true });
  const env = { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` };
  spawnSync(process.execPath, dying, { env, stdio: ['ignore', 'ignore', journal], timeout });
  closeSync(journal);
  expect(await readFile(path, 'utf8')).toMatch(/^<6>\{"level":"info",.*\}\n<3>\{"level":"error",.*\}\n$/);
});
