import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Session, session } from '../edge/cli/fake-gateway.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { clockIsTold, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const headwater = (dataDir: string, words: readonly string[]): Promise<Session> =>
  session([...words, '--set', `data.dir=${dataDir}`]);

/** A data folder with three records of topic `readings`, each a commit of its own, and one of `clock`, whose gateway was killed. */
async function killedFolder(path: string): Promise<string> {
  const dataDir = join(path, 'data');
  await using gateway = await startGateway({ dataDir });
  await clockIsTold(gateway);
  for (const value of ['a', 'b', 'c']) {
    const body = JSON.stringify({ topic: 'readings', records: [{ value }] });
    const headers = { 'content-type': 'application/json' };
    expect((await gateway.api('/api/records', { method: 'POST', headers, body })).ok).toBe(true);
  }
  await gateway.kill('SIGKILL');
  return dataDir;
}

/** What is in a folder, by path. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    content.set(
      path,
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return content;
}

async function journalOf(dataDir: string): Promise<string> {
  const names = await readdir(join(dataDir, 'journal'));
  const name =
    names
      .filter((one) => one.endsWith('.journal'))
      .sort()
      .at(-1) ?? '';
  return join(dataDir, 'journal', name);
}

describe('the data folder of a killed gateway', () => {
  test('is read by consume, with its options, and is not changed', async () => {
    await using folder = await temporaryFolder();
    const dataDir = await killedFolder(folder.path);
    const before = await contentOf(dataDir);
    const consumed = await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning']);
    expect(consumed).toEqual({
      code: 0,
      output: 'a\nb\nc\n',
      errors: `no gateway is running: reading the data folder ${dataDir} itself\n`,
    });
    const places = [
      [['--partition', '0', '--offset', '1', '--max-messages', '1'], 'b\n'],
      [['--from-time', '1h'], 'a\nb\nc\n'],
      [['--from-time', '2099-01-01'], ''],
    ] as const;
    for (const [words, output] of places)
      expect(await headwater(dataDir, ['consume', 'readings', ...words])).toMatchObject({ code: 0, output });
    const json = await headwater(dataDir, [
      'consume',
      'readings',
      '--json',
      '--partition',
      '0',
      '--offset',
      '2',
    ]);
    expect(JSON.parse(json.output)).toMatchObject({ topic: 'readings', partition: 0, offset: 2, value: 'c' });
    expect(await headwater(dataDir, ['consume', 'fire', '--from-beginning'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('there is no topic fire; there are: readings'),
    });
    expect(await headwater(dataDir, ['consume', 'readings', '--follow'])).toMatchObject({
      code: 3,
      output: '',
      errors: expect.stringContaining('leave out --follow, and give --from-beginning'),
    });
    expect(await headwaterProcess(dataDir, ['verify'])).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^nothing is lost or damaged: 4 records in 3 partitions, [\d.]+ MiB checked\n$/,
      ),
      errors: '',
    });
    expect(await headwater(dataDir, ['dump'])).toMatchObject({ code: 0 });
    expect(await contentOf(dataDir)).toEqual(before);
  });

  test('is checked by verify, which names what is lost, and shown by dump', async () => {
    await using folder = await temporaryFolder();
    const dataDir = await killedFolder(folder.path);
    const path = await journalOf(dataDir);
    const shown = await headwater(dataDir, ['dump', path, '--topic', 'readings', '--records']);
    expect(shown.code).toBe(0);
    expect(shown.output).toMatch(
      /commit \d+, life \d+.*\n +readings-0: records 1 to 1 .*\n +\{"offset":1,.*"value":"b"/,
    );
    const [, commit, second] =
      /\n +(\d+) {2}commit (\d+),[^\n]*\n +readings-0: records 1 to 1/.exec(shown.output) ?? [];
    const file = await open(path, 'r+');
    await file.write(Buffer.from('#'), 0, 1, Number(commit) + 60);
    await file.close();
    const found = await headwater(dataDir, ['verify']);
    expect(found).toMatchObject({ code: 1, errors: '' });
    expect(found.output).toMatch(/^LOST {7}readings-0 offset 1$/m);
    expect(found.output).toContain(
      `journal/${path.slice(-28)} at byte ${commit} (4096 bytes): commit ${second} is`,
    );
    expect(found.output).toMatch(
      /\nLOST: 1 record; 1 damaged place; still there: 3 records in 3 partitions,.*\n$/,
    );
    const { output } = await headwater(dataDir, ['verify', '--json']);
    expect(JSON.parse(output)).toMatchObject({
      isSound: false,
      records: 3,
      lostRecords: 1,
      lost: [{ topic: 'readings', partition: 0, firstOffset: 1, lastOffset: 1 }],
      tornTail: null,
    });
    expect((await headwater(dataDir, ['dump'])).output).toMatch(
      new RegExp(`^ +${commit} {2}NO WHOLE COMMIT in 4096 bytes$`, 'm'),
    );
    expect((await headwater(dataDir, ['consume', 'readings', '--from-beginning'])).output).toBe('a\nc\n');
  });

  test('is left alone by verify while a gateway works on it', async () => {
    await using folder = await temporaryFolder();
    const dataDir = await killedFolder(folder.path);
    await using gateway = await startGateway({ dataDir });
    expect(await headwater(dataDir, ['verify'])).toEqual({
      code: 1,
      output: '',
      errors: expect.stringContaining(`a gateway (process ${gateway.pid}) works on the data folder`),
    });
    expect(await headwater(join(folder.path, 'none'), ['verify'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('there is no log in'),
    });
    expect(
      await headwater(join(folder.path, 'none'), ['consume', 'readings', '--from-beginning']),
    ).toMatchObject({
      code: 3,
      errors: expect.stringContaining('no gateway is running'),
    });
    expect(await readdir(folder.path)).toEqual(['data']);
  });
});
