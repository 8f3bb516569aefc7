import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { walk } from '../../src/edge/cli/command-walk.ts';
import { fishCompletion } from '../../src/edge/cli/completion-fish.ts';
import { zshCompletion } from '../../src/edge/cli/completion-zsh.ts';
import { manPage } from '../../src/edge/cli/man-page.ts';
import { session } from '../edge/cli/fake-gateway.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { helpOfAllCommands } from '../support/help-of-commands.ts';
import { oddCommands } from '../support/odd-commands.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const inFolder = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(inFolder('files'));
  for (const name of ['one.yaml', 'two.yaml']) await writeFile(inFolder(`files/${name}`), '');
  const printed = async (...words: string[]) => (await headwaterProcess(folder.path, words)).output;
  const odd = walk(oddCommands());
  await writeFile(inFolder('headwater.1'), await printed('man'));
  await writeFile(inFolder('headwater.zsh'), await printed('completion', 'zsh'));
  await writeFile(inFolder('headwater.fish'), await printed('completion', 'fish'));
  await writeFile(inFolder('odd.1'), manPage(odd, { version: '0.1.0', madeMs: 0 }));
  await writeFile(inFolder('odd.zsh'), zshCompletion(odd));
  await writeFile(inFolder('odd.fish'), fishCompletion(odd));
});

afterAll(async () => await folder[Symbol.asyncDispose]());

const silent = { code: 0, output: '', errors: '' };

describe.each(['headwater', 'odd'])('the files about the commands of %s', (name) => {
  test('mandoc has nothing to say about the manual page', async () => {
    expect(await runProgram('mandoc', ['-Tlint', inFolder(`${name}.1`)])).toEqual(silent);
  });

  test('man shows it without a warning', async () => {
    const shown = await runProgram('man', ['--warnings', '--local-file', inFolder(`${name}.1`)]);
    expect(shown).toMatchObject({ code: 0, errors: '' });
    expect(shown.output).toMatch(/HEADWATER\(1\) .*User Commands/);
  });

  test.each(['zsh', 'fish'])('%s can read its script', async (shell) => {
    expect(await runProgram(shell, ['-n', inFolder(`${name}.${shell}`)])).toEqual(silent);
  });
});

/** What a shell makes of a line that ends at the cursor. */
type Completer = (script: string, line: string) => Promise<readonly string[]>;

const completedByFish: Completer = async (script, line) => {
  const commands = 'cd $argv[1]; source $argv[2]; complete -C $argv[3]';
  const words = ['--no-config', '-c', commands, inFolder('files'), inFolder(script), line];
  const { output, errors } = await runProgram('fish', words);
  expect(errors).toBe('');
  const rows = output.split('\n').filter((row) => row !== '');
  return rows.map((row) => row.split('\t')[0] ?? '').toSorted();
};

const zshAsker = fileURLToPath(new URL('./complete.zsh', import.meta.url));

const completedByZsh: Completer = async (script, line) => {
  const { output, errors } = await runProgram('zsh', [
    '-f',
    zshAsker,
    inFolder('files'),
    inFolder(script),
    line,
  ]);
  expect(errors).toBe('');
  return [...new Set(output.split('\n').filter((row) => row !== ''))].toSorted();
};

describe.each([
  ['zsh', completedByZsh],
  ['fish', completedByFish],
] as const)('headwater completion %s', (shell, complete) => {
  it('completes the commands at each place', async () => {
    const commands = await helpOfAllCommands((words) => session(words));
    for (const { words, commands: below } of commands.filter((each) => each.commands.length > 0))
      expect(await complete(`headwater.${shell}`, `${words} `), words).toEqual(below.toSorted());
  });

  test.each([
    ['headwater', 'headwater to', ['topics']],
    ['headwater', 'headwater --set a=b topics de', ['delete', 'describe']],
    ['headwater', 'headwater --set topics st', ['status']],
    ['headwater', 'headwater topics create x --pri', ['--priority']],
    ['headwater', 'headwater consume --fro', ['--from-beginning', '--from-time']],
    ['headwater', 'headwater consume topics --fol', ['--follow']],
    ['headwater', 'headwater consume x --conf', ['--config']],
    ['headwater', 'headwater completion ', ['bash', 'fish', 'zsh']],
    ['headwater', 'headwater --config ', ['one.yaml', 'two.yaml']],
    ['headwater', 'headwater devices import o', ['one.yaml']],
    ['headwater', 'headwater dump one.yaml t', ['two.yaml']],
    ['headwater', 'headwater topics create ', []],
    ['odd', 'headwater odd --level ', ['high', 'low']],
    ['odd', 'headwater odd x o', ['one.yaml']],
    ['odd', 'headwater odd x y o', ['one.yaml']],
    ['odd', 'headwater odd --fo', []],
  ] as const)('with the commands of %s, completes %j to %j', async (name, line, expected) => {
    expect(await complete(`${name}.${shell}`, line)).toEqual(expected);
  });
});
