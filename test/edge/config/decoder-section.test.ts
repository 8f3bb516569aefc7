import { describe, expect, it } from 'vitest';
import { decoderSection } from '../../../src/edge/config/decoder-section.ts';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { decoders, namesOf } from '../../../src/edge/registry.ts';

const read = (decoder: string) =>
  readConfig({
    file: { name: 'hw.yaml', text: `serial: [{ name: a, path: /a, baud: 9600, decoder: ${decoder} }]\n` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'gw1',
  });

describe('a decoder', () => {
  it.each([
    ['nmea', { type: 'nmea' }],
    ['{ type: nmea }', { type: 'nmea' }],
    ['number', { type: 'number', name: 'value' }],
    ['{ type: csv, columns: [a, b] }', { type: 'csv', columns: ['a', 'b'], separator: ',' }],
    ['{ type: csv, columns: [a], separator: "\\t" }', { separator: '\t' }],
    ["{ type: key-value, keySeparator: '->' }", { type: 'key-value', keySeparator: '->' }],
    ["{ type: regex, pattern: '(?<a>x)' }", { type: 'regex', pattern: { source: '(?<a>x)' } }],
  ])('is read: %s', (decoder, settings) => {
    const result = read(decoder);
    expect('config' in result && result.config.serial[0]?.decoder).toMatchObject(settings);
  });

  it('is JSON by default', () => {
    const result = read('');
    expect('problems' in result && result.problems).toEqual([expect.stringContaining('is empty')]);
    const { config } = readConfig({
      file: { name: 'hw.yaml', text: 'serial: [{ name: a, path: /a, baud: 9600 }]' },
      sets: [],
      workingDirectory: '/',
      hostName: 'h',
    }) as { config: { serial: readonly { decoder: unknown }[] } };
    expect(config.serial[0]?.decoder).toEqual({ type: 'json' });
  });

  it.each([
    ['csv', 'serial.0.decoder.columns: is missing; write a list of at most 64 names of columns'],
    ['xml', 'serial.0.decoder: write one of json, raw, csv'],
    ['{ type: xml }', 'write one of json, raw, csv'],
    ['{ columns: [a] }', 'write one of json, raw, csv'],
    ['5', 'serial.0.decoder: write one of json, raw, csv'],
    ['{ type: csv, columns: [] }', 'serial.0.decoder.columns: write one column at least'],
    ['{ type: csv, columns: [a, b, a] }', 'serial.0.decoder.columns.2: write each column once'],
    ["{ type: csv, columns: [a], separator: '\"' }", 'serial.0.decoder.separator: write one character'],
    ["{ type: csv, columns: [a], separator: ';;' }", 'serial.0.decoder.separator: write one character'],
    ['{ type: nmea, columns: [a] }', 'serial.0.decoder.columns: nmea has no such setting; it needs none'],
    ['{ type: regex }', 'serial.0.decoder.pattern: is missing; write a regular expression with named groups'],
    ["{ type: regex, pattern: '(' }", 'serial.0.decoder.pattern: write a legal regular expression'],
    ["{ type: regex, pattern: '\\d+' }", 'serial.0.decoder.pattern: name what is to be kept'],
    ["{ type: number, name: '' }", 'serial.0.decoder.name: write a name of at most 64 characters'],
  ])('is refused as %s', (decoder, problem) => {
    const result = read(decoder);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });

  it.each(namesOf(decoders))('may be %s, as the list of decoders says', (name) => {
    const issues = decoderSection().safeParse(name).error?.issues ?? [];
    // Some need settings besides.
    for (const { path } of issues) expect(path).toHaveLength(1);
  });
});
