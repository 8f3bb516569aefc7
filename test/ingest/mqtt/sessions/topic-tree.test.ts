import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TopicTree } from '../../../../src/ingest/mqtt/sessions/topic-tree.ts';

/** [MQTT-4.7] word for word, without a thought of speed. */
function matches(filter: string, topic: string): boolean {
  const levels = filter.split('/');
  const given = topic.split('/');
  if (topic.startsWith('$') && (levels[0] === '#' || levels[0] === '+')) return false;
  const some = levels.indexOf('#');
  const fixed = some === -1 ? levels : levels.slice(0, some);
  if (some === -1 ? given.length !== fixed.length : given.length < fixed.length) return false;
  return fixed.every((level, index) => level === '+' || level === given[index]);
}

const level = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, isWild]) => [...levels, ...(isWild || levels.length === 0 ? ['#'] : [])].join('/'));

test('a topic matches just the filters that MQTT says, whatever else was entered and taken away', () => {
  const rows = fc.array(fc.tuple(filter, fc.constantFrom('one', 'two'), fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(rows, topic, (entered, asked) => {
      const tree = new TopicTree();
      const left = new Set<string>();
      for (const [row, clientId, isKept] of entered) {
        tree.set({ topic: row, clientId, qos: 1 });
        left.add(`${clientId} ${row}`);
        if (isKept) continue;
        tree.delete(row, clientId);
        left.delete(`${clientId} ${row}`);
      }
      const wanted = [...left].filter((one) => matches(one.slice(one.indexOf(' ') + 1), asked));
      const found = tree.match(asked).map(({ clientId, topic: row }) => `${clientId} ${row}`);
      expect(found.toSorted()).toEqual(wanted.toSorted());
      expect(tree.size).toBe(left.size);
    }),
  );
});
