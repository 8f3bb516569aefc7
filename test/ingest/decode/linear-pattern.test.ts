import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { LinearPattern } from '../../../src/ingest/decode/linear-pattern.ts';
import { regexDecoder } from '../../../src/ingest/decode/regex.ts';

function patternOf(source: string): LinearPattern {
  const pattern = LinearPattern.of(source);
  if ('problem' in pattern) throw new Error(pattern.problem);
  return pattern;
}

/** What the engine of JavaScript finds, without empty groups. */
function expected(source: string, text: string): Record<string, string> | null {
  const found = new RegExp(source, 'u').exec(text);
  return found === null ? null : withoutEmpty(Object.entries(found.groups ?? {}));
}

const withoutEmpty = (groups: Iterable<readonly [string, string | undefined]>): Record<string, string> =>
  Object.fromEntries([...groups].filter((group): group is [string, string] => (group[1] ?? '') !== ''));

function actual(source: string, text: string): Record<string, string> | null {
  const found = patternOf(source).match(text);
  return found === null ? null : withoutEmpty(found);
}

describe('a linear pattern', () => {
  test.each([
    ['^T=(?<t>-?\\d+\\.?\\d*) H=(?<h>\\d+)%$', 'T=-21.5 H=40%'],
    ['(?<a>a+)(?<b>a*)', 'baaa'],
    ['(?<a>a+?)(?<b>a*)', 'baaa'],
    ['(?<a>a|ab)(?<b>c|bcd)', 'abcd'],
    ['(?:x(?<a>\\d))?y', 'x1y y'],
    ['(?:x(?<a>\\d))?y', 'y'],
    ['(?:(?<t>a)1|(?<t>b)2)', 'b2'],
    ['\\b(?<word>\\w{3,4})\\b', 'ab abcde abc'],
    ['(?<a>[^,;]*);(?<b>[\\d.]{2,})', 'x,y;1.5'],
    ['(?<a>\\u{b0}C|°F|\\x41|[\\]\\\\])', '21°F'],
    ['(?<a>😀.)', 'a😀é'],
    ['(?<a>\\p{Lu}+)', 'äÖÜ'],
    ['(?<a>)|b', 'ab'],
    ['(?<a>.*)', 'one\ntwo'],
  ])('finds by %s in %j what JavaScript finds', (source, text) => {
    expect(actual(source, text)).toEqual(expected(source, text));
  });

  test('finds by any pattern in any text what JavaScript finds', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\b', '', '^', '$', '\\w');
    const times = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,}', '{0,2}?', '{1,3}');
    const { pattern } = fc.letrec<{ pattern: string; repeated: string }>((tie) => ({
      repeated: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(tie('repeated'), tie('repeated')).map(([one, other]) => one + other),
        fc.tuple(tie('repeated'), tie('repeated')).map(([one, other]) => `(?:${one}|${other})`),
        fc.tuple(tie('repeated'), times).map(([one, count]) => `(?:${one})${count}`),
      ),
      pattern: fc.oneof(
        { maxDepth: 3 },
        tie('repeated'),
        tie('repeated').map((one) => `(?<N>${one})`),
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(?:${one}|${other})`),
        tie('pattern').map((one) => `(?:${one})?`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (shape, subject) => {
        // Each group has a name of its own.
        let groups = 0;
        const source = `(?<first>)${shape.replaceAll('<N>', () => {
          groups += 1;
          return `<g${groups}>`;
        })}`;
        fc.pre(LinearPattern.of(source) instanceof LinearPattern);
        expect(actual(source, subject)).toEqual(expected(source, subject));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['(', /^write a legal regular expression/],
    ['(?<a>.)\\k<a>', /^do not refer to a group/],
    ['(?<a>.)\\1', /^do not refer to a group/],
    ['(?=a)(?<a>.)', /what looks ahead or behind takes too long$/],
    ['(?<!b)(?<a>.)', /what looks ahead or behind takes too long$/],
    ['(?i:(?<a>.))', /^write groups as/],
    ['(?<a>.)+', /^let the group \(\?<a>…\) not repeat/],
    ['(?:(?<a>.),){2}', /^let the group \(\?<a>…\) not repeat/],
    ['(?:a*)?(?<b>b)', /^let nothing be optional or repeat that can be empty/],
    ['\\d+', /^name what is to be kept/],
    [Array.from({ length: 17 }, (_, index) => `(?<g${index}>a)`).join(''), /^write at most 16 groups/],
    ['(?<a>.{251})', /^write a shorter pattern/],
    ['(?<a>(?:(?:(?:){1000}){1000}){1000})', /^write a shorter pattern/],
    ['(?<a>(?:){999999999})', /^write a shorter pattern/],
  ])('refuses %s and says what to write', (source, problem) => {
    expect(LinearPattern.of(source)).toEqual({ problem: expect.stringMatching(problem) });
  });

  // The engine of JavaScript needs longer for the first of these than the universe is old.
  test.each([
    '^(?<a>(?:a+)+)$',
    '^(?<a>(?:a|a)*)$',
    '^(?<a>(?:a|aa)+)$',
    '(?<a>.*.*.*.*.*=)',
    '(?<a>(?:a?){80}a{80})',
    Array.from({ length: 16 }, (_, index) => `(?<g${index}>a*)`).join('') + '='.repeat(9),
  ])('never holds up the event loop for long: %s', (source) => {
    const decode = regexDecoder({ pattern: patternOf(source) });
    const frame = new TextEncoder().encode(`${'a'.repeat(limits.decoderPatternFrameBytesMax - 1)}!`);
    decode(frame);
    const start = performance.now();
    decode(frame);
    expect(performance.now() - start).toBeLessThan(200);
  });

  test('does not look at frames that are too long', () => {
    const decode = regexDecoder({ pattern: patternOf('(?<a>a)') });
    expect(decode(new Uint8Array(limits.decoderPatternFrameBytesMax + 1).fill(0x61))).toEqual({
      problem: 'too-long',
    });
  });
});
