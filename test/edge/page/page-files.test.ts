import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPageFiles } from '../../../src/edge/admin/page-files.ts';

const folder = fileURLToPath(new URL('../../../src/edge/page/', import.meta.url));
let texts: ReadonlyMap<string, string>;

beforeAll(async () => {
  const names = (await readdir(folder)).filter((name) => /\.(?:js|css|html|svg)$/.test(name));
  texts = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(`${folder}${name}`, 'utf8')] as const)),
  );
});

/** Files in which a pattern stands. */
const having = (pattern: RegExp): string[] =>
  [...texts].flatMap(([name, text]) => (pattern.test(text) ? [name] : []));

describe('the files of the page', () => {
  test('come from nowhere else', () => {
    expect(having(/\bhttps?:\/\/(?!www\.w3\.org\/2000\/svg\b)/)).toEqual([]);
    expect(having(/(?:src|href)="(?![/#])/)).toEqual([]);
  });

  test('have no script and no style that the content security policy would refuse', () => {
    const html = texts.get('page.html') ?? '';
    expect(html).not.toMatch(/<style|style=|\son\w+=/);
    expect([...html.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes)).toEqual([
      ' type="module" src="/page/main.js"',
    ]);
    expect(having(/setAttribute\(\s*'style'|style: [`'"]/)).toEqual([]);
  });

  test('never make HTML of text: names of devices are hostile', () => {
    expect(
      having(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/),
    ).toEqual([]);
  });

  test('are all that they name, and are all named', async () => {
    const served = await readPageFiles();
    const named = new Set(
      [...texts.values()].flatMap((text) => [
        ...[...text.matchAll(/\/page\/([\w.-]+)/g)].map(([, name]) => name),
        ...[...text.matchAll(/from '\.\/([\w.-]+)'/g)].map(([, name]) => name),
      ]),
    );
    expect([...named].filter((name) => !served.has(name ?? ''))).toEqual([]);
    expect([...served.keys()].filter((name) => name !== 'page.html' && !named.has(name))).toEqual([]);
    expect(served.get('main.js')?.contentType).toBe('text/javascript; charset=utf-8');
    // A page that is opened without a login asks for all of them at once: see adminOpenRequestsMax.
    expect(served.size).toBeLessThan(40);
  });
});

describe('the colours', () => {
  /** The colours of the style sheet, light and dark. */
  const palettes = (): readonly ReadonlyMap<string, string>[] => {
    const css = texts.get('page.css') ?? '';
    return [...css.matchAll(/:root \{([^}]*)\}/g)].map(
      ([, block = '']) =>
        new Map(
          [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name = '', colour = '']) => [
            name,
            colour,
          ]),
        ),
    );
  };

  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const contrast = (one: string, other: string): number => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  test.each([
    ['ink', 'card'],
    ['ink', 'ground'],
    ['ink', 'idle-area'],
    ['quiet', 'card'],
    ['quiet', 'ground'],
    ['accent', 'card'],
    ['ok', 'card'],
    ['ok', 'ok-area'],
    ['warn', 'warn-area'],
    ['bad', 'card'],
    ['bad', 'bad-area'],
  ])('of %s on %s are told apart by those who see badly (WCAG 2.2 AA: 4.5)', (text, ground) => {
    expect(palettes()).toHaveLength(2);
    for (const palette of palettes())
      expect(contrast(palette.get(text) ?? '', palette.get(ground) ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  test.each(['card', 'ground'])('show where buttons and fields end, on %s (3)', (ground) => {
    for (const palette of palettes())
      expect(contrast(palette.get('edge') ?? '', palette.get(ground) ?? '')).toBeGreaterThanOrEqual(3);
  });
});
