import { expect, test } from 'vitest';
import { visibleText } from '../../src/core/visible-text.ts';

test.each([
  ['pump-1 Büro 泵', 'pump-1 Büro 泵'],
  ['\u001b]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
  ['two\nlines\u0085', 'two\\u{a}lines\\u{85}'],
  ['abc\u202edef\u{e0041}', 'abc\\u{202e}def\\u{e0041}'],
])('%j is shown as %s', (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});
