import { expect, test } from 'vitest';

test('the limits do not contradict each other', async () => {
  await expect(import('../../src/core/limit-relations.ts')).resolves.toBeDefined();
});
