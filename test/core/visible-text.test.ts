import { expect, test } from 'vitest';
import { visibleText } from '../../src/core/visible-text.ts';

test.each([
  ['pump-1 Büro 泵', 'pump-1 Büro 泵'],
  ['\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
  ['two\nlines\u0085', 'two\\u000alines\\u0085'],
  ['abc\u202edef', 'abc\\u202edef'],
  // What joins letters, and pictures, belongs to the text.
  ['می\u200cخواهم 👩\u200d🔧', 'می\u200cخواهم 👩\u200d🔧'],
])('%j is shown as %s', (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});
