import { describe, expect, test } from 'vitest';
import { findDataDir, soundPart } from '../../../src/edge/config/sound-part.ts';

const sourcesOf = (text: string | null, sets: readonly string[] = []) => ({
  file: text === null ? undefined : { name: 'hw.yaml', text },
  sets,
  workingDirectory: '/site',
  hostName: 'gw1',
});

describe('the data folder', () => {
  test.each([
    ['of no file', null, [], '/site/data'],
    ['beside a mistake', 'data: { dir: store }\nmqtt: { listen: 1883 }', [], '/site/store'],
    ['beside a mistake in its own section', 'data: { dir: /store, budget: much }', [], '/store'],
    ['above what is no YAML', 'data:\n  dir: /store\nmqtt: { listen: [\nlog:\n', [], '/store'],
    ['below what is no YAML', 'mqtt: { listen: "127.0.0.1:1 }\ndata: {}', ['data.dir=x'], '/site/x'],
    ['indented with a tab', 'data:\n\tdir: /store', [], '/store'],
    ['given twice', 'data: { dir: /store }\nlog: {}\nlog: {}', [], '/store'],
    ['of an option', 'data: { dir: 5 }\nmqqt: {}', ['data.dir=/store'], '/store'],
    ['of an option, with others', 'mqqt: {}', ['data.dir=/store', 'log.level=debug'], '/store'],
    ['that nobody has named', '# data: { dir: /store }\nmqtt: { listen: 1883 }', [], '/site/data'],
    ['that nobody has named, in what is no YAML', 'mqtt: { listen: [', [], '/site/data'],
  ])('%s', (_, text, sets, dataDir) => {
    expect(findDataDir(sourcesOf(text, sets)).dataDir).toBe(dataDir);
  });

  test.each([
    ['is no text', 'data: { dir: 5 }', 'data.dir'],
    ['is mistyped', 'data: { dirr: /store }', 'data.dirr'],
    ['is in a mistyped section', 'dta: { dir: /store }', 'dta'],
    ['is in what is no YAML', '{ "data: { dir: /store } }', 'not readable as YAML'],
  ])('is not guessed if it %s', (_, text, words) => {
    expect(() => findDataDir(sourcesOf(text))).toThrow(words);
  });
});

test('an option that is wrong is refused: whoever wrote it is at hand', () => {
  expect(() => findDataDir(sourcesOf(null, ['data.dir=/store', 'foo=1']))).toThrow('--set foo: unknown');
});

describe('what is sound', () => {
  test('leaves out the sections that are wrong, alone or together', () => {
    const text =
      'mqtt: { listen: 1883, ws: { listen: "127.0.0.1:1" } }\ngateway: { name: gw7 }\nadmin: { listen: "127.0.0.1:1" }\nlog: { level: loud }';
    expect(soundPart(sourcesOf(text))?.config).toMatchObject({
      gateway: { name: 'gw7' },
      mqtt: { listen: { host: '127.0.0.1', port: 1883 } },
      admin: { listen: { host: '127.0.0.1', port: 8080 } },
      log: { level: 'info' },
      data: { dir: '/site/data' },
    });
  });

  test('is nothing of what is no configuration', () => {
    expect(soundPart(sourcesOf('nonsense'))).toBeNull();
  });
});
