import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { walk } from '../../../src/edge/cli/command-walk.ts';
import { bashCompletion } from '../../../src/edge/cli/completion-bash.ts';
import { completedByBash } from '../../support/completed-by-bash.ts';
import { type HelpOfCommand, helpOfAllCommands } from '../../support/help-of-commands.ts';
import { oddCommands } from '../../support/odd-commands.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { session } from './fake-gateway.ts';

describe('headwater completion bash', () => {
  let script: string;
  let commands: readonly HelpOfCommand[];

  beforeAll(async () => {
    script = (await session(['completion', 'bash'])).output;
    commands = await helpOfAllCommands((words) => session(words));
  });

  it('completes each command as its help explains it', async () => {
    expect(commands.length).toBeGreaterThan(30);
    const lines = commands.flatMap(({ words }) => [`${words} `, `${words} -`]);
    const completed = await completedByBash(script, lines);
    for (const { words, commands: below, flags } of commands) {
      if (below.length > 0) expect(completed.get(`${words} `), words).toEqual(below.toSorted());
      expect(completed.get(`${words} -`), words).toEqual(flags.toSorted());
    }
  });

  test.each([
    ['headwater to', ['topics']],
    ['headwater topics de', ['delete', 'describe']],
    ['headwater topics create ', []],
    ['headwater topics create x --pri', ['--priority']],
    ['headwater --set mqtt.listen=127.0.0.1:0 topics l', ['list']],
    ['headwater --set topics st', ['status']],
    ['headwater --config=one.yaml topics l', ['list']],
    ['headwater --json topics l', ['list']],
    ['headwater consume topics --fol', ['--follow']],
    ['headwater consume -- --fol', []],
    ['headwater status --set mqtt.listen=127', []],
    ['headwater status --set mqtt.listen=', []],
    ['headwater completion ', ['bash', 'fish', 'zsh']],
    ['headwater completion bash ', []],
    ['headwater --config ', ['a folder', 'one.yaml', 'two.yaml']],
    ['headwater --config o', ['one.yaml']],
    ['headwater run --config=o', ['one.yaml']],
    ['headwater run --config=', ['a folder', 'one.yaml', 'two.yaml']],
    ['headwater devices import t', ['two.yaml']],
    ['headwater devices import one.yaml t', []],
    ['headwater dump one.yaml t', ['two.yaml']],
    ['headwater dump --top', ['--topic']],
    ['headwater nonsense ', []],
  ])('completes %j to %j', async (line, expected) => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'a folder'));
    for (const name of ['one.yaml', 'two.yaml']) await writeFile(join(folder.path, name), '');
    expect((await completedByBash(script, [line], folder.path)).get(line)).toEqual(expected);
  });

  it('completes what no command has yet: choices of options, a file after another argument, odd texts', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'one.yaml'), '');
    const lines = ['headwater group ', 'headwater odd --level ', 'headwater odd x o', 'headwater odd x y o'];
    const completed = await completedByBash(bashCompletion(walk(oddCommands())), lines, folder.path);
    expect(lines.map((line) => completed.get(line))).toEqual([
      ['plain'],
      ['high', 'low'],
      ['one.yaml'],
      ['one.yaml'],
    ]);
    const flags = await completedByBash(bashCompletion(walk(oddCommands())), ['headwater odd --fo']);
    expect(flags.get('headwater odd --fo')).toEqual([]);
  });
});

describe('headwater completion', () => {
  it('needs no configuration', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, output, errors } = await session(['completion', shell, '--config', '/nowhere/none.yaml']);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toContain(`headwater completion ${shell}`);
    }
  });

  it('says which shells there are', async () => {
    const { code, errors } = await session(['completion', 'csh']);
    expect(code).toBe(2);
    expect(errors).toContain('Allowed choices are bash, zsh, fish.');
  });
});
