import { expect, test } from 'vitest';
import { Layout } from '../../../src/anomaly/learned/layout.ts';

test('parts stand one behind the other, from the start on', () => {
  const layout = new Layout({ doubles: 2, floats: 1 });
  expect(layout.place({ doubles: 3, floats: 0 })).toEqual({ doubles: 2, floats: 1 });
  expect(layout.place({ doubles: 0, floats: 4 })).toEqual({ doubles: 5, floats: 1 });
  expect(layout.end).toEqual({ doubles: 5, floats: 5 });
});
