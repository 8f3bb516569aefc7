import { describe, expect, it } from 'vitest';
import { isLegalTopicName } from '../../src/core/topic-name.ts';

describe('a topic name', () => {
  it.each(['readings', 'a.b_c-D9', '...', 'x'.repeat(249)])('«%s» is one that Kafka accepts', (name) => {
    expect(isLegalTopicName(name)).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'ä', 'a\n', 'x'.repeat(250)])('«%s» is none', (name) => {
    expect(isLegalTopicName(name)).toBe(false);
  });
});
