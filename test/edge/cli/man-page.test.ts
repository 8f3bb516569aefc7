import { describe, expect, it } from 'vitest';
import { walk } from '../../../src/edge/cli/command-walk.ts';
import { exitCodes } from '../../../src/edge/cli/exit-code.ts';
import { manPage } from '../../../src/edge/cli/man-page.ts';
import { helpOfAllCommands } from '../../support/help-of-commands.ts';
import { oddCommands, oddWords } from '../../support/odd-commands.ts';
import { session } from './fake-gateway.ts';

/** The page as its reader sees it, without the lines' breaks. */
function read(page: string): string {
  return page
    .replaceAll(/\\f[BIR]|\\&/g, '')
    .replaceAll(/\\\[u(?<code>[0-9A-F]+)\]/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))
    .replaceAll(/\\(?<name>-|e|\(aq|\(dq|\(ga|\(ha|\(ti)/g, (_, name: string) => characters[name] ?? '?');
}

const characters: Readonly<Record<string, string>> = {
  '-': '-',
  e: '\\',
  '(aq': "'",
  '(dq': '"',
  '(ga': '`',
  '(ha': '^',
  '(ti': '~',
};

/** The part of the page below this heading. */
const part = (page: string, macro: 'SH' | 'SS', start: string): string | undefined =>
  page
    .split(/^(?=\.S[HS] )/m)
    .find((each) => new RegExp(`^\\.${macro} ${start}(?: [[a-z-]|$)`, 'm').test(each));

const page = async () => read((await session(['man'])).output);

describe('headwater man', () => {
  it('explains every command with each of its options', async () => {
    const whole = await page();
    const [root, ...commands] = await helpOfAllCommands((words) => session(words));
    expect(commands.length).toBeGreaterThan(30);
    const globals = part(whole, 'SH', 'GLOBAL OPTIONS') ?? '';
    for (const flag of root?.flags ?? []) expect(globals).toContain(flag);
    for (const { words, flags } of commands) {
      const own = part(whole, 'SS', words.replace('headwater ', '')) ?? `no part about ${words}`;
      for (const flag of flags.filter((each) => root?.flags.includes(each) === false))
        expect(own).toMatch(new RegExp(`^${flag}(?: |$)`, 'm'));
      expect(own).toMatch(/^\.SS [a-z]/);
    }
  });

  it('shows arguments and values', async () => {
    const whole = await page();
    expect(part(whole, 'SS', 'topics create')).toMatch(/^\.SS topics create \[options\] name\n/);
    expect(part(whole, 'SS', 'topics create')).toContain(
      '--partitions count\nhow many partitions (default: 1)',
    );
    expect(part(whole, 'SS', 'alerts shelve')).toMatch(/^\.SS alerts shelve --for duration id\n/);
    expect(part(whole, 'SS', 'dump')).toContain('[file...]\nsuch files (default: all of the data folder)');
    expect(part(whole, 'SS', 'completion')).toContain('(one of bash, zsh, fish)');
    expect(part(whole, 'SS', 'topics')).toMatch(/^\.SS topics command\n/);
  });

  it('has a row for each exit code', async () => {
    const codes = [
      ...(part(await page(), 'SH', 'EXIT STATUS') ?? '').matchAll(/^\.TP\n(?<code>\d)\n[A-Z]/gm),
    ];
    expect(codes.map(({ groups }) => Number(groups?.['code']))).toEqual(Object.values(exitCodes));
  });

  it('has the parts that every manual page has, and those about what is around the commands', async () => {
    const titles = [...(await page()).matchAll(/^\.SH (?<title>.*)$/gm)].map(
      ({ groups }) => groups?.['title'],
    );
    expect(titles.join()).toBe(
      'NAME,SYNOPSIS,DESCRIPTION,GLOBAL OPTIONS,COMMANDS,EXIT STATUS,FILES,ENVIRONMENT,EXAMPLES,SEE ALSO',
    );
    for (const file of ['headwater.yaml', 'data/', 'data/admin.token'])
      expect(part(await page(), 'SH', 'FILES')).toContain(`\n.TP\n${file}\n`);
  });

  it('needs no configuration', async () => {
    const { code, errors } = await session(['man', '--config', '/nowhere/none.yaml']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
  });
});

describe('the manual page', () => {
  const odd = manPage(walk(oddCommands()), { version: '1.2.3', madeMs: Date.UTC(2026, 10, 27) });

  it('says of which version it is, and when it was made', () => {
    expect(odd).toMatch(/^\.TH HEADWATER 1 "2026-11-27" "headwater 1\.2\.3" /);
  });

  it('keeps what roff would take for something else', () => {
    expect(read(odd).replaceAll('\n', ' ')).toContain(oddWords);
    const begins = odd.split('\n').filter((line) => /^[.']/.test(line));
    expect(begins.filter((line) => !/^\.(?:TH|SH|SS|PP|TP|BR|B|RS|RE|nf|fi)(?: |$)/.test(line))).toEqual([]);
    expect(part(read(odd), 'SS', 'group plain')).toContain("-q, --quiet\n'quoted'");
  });

  it('says what is required, what can be chosen, and what counts otherwise', () => {
    const own = part(read(odd), 'SS', 'odd') ?? '';
    expect(own).toMatch(/^\.SS odd --must text \[options\] name \[file\.\.\.\]\n/);
    expect(own).toContain('--must text\nwithout it nothing goes (required)');
    expect(own).toContain('--count number\nhow many (default: 3)');
    expect(own).toContain('--level name\nhow much (one of low, high)');
  });

  it('leaves out what is hidden', () => {
    expect(odd).not.toContain('nobody');
    expect(odd).not.toContain('group below');
  });
});
