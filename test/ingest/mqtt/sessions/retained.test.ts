import { expect, test } from 'vitest';
import { Retained } from '../../../../src/ingest/mqtt/sessions/retained.ts';

const packet = (topic: string, payload: string) => ({ topic, payload, qos: 0, retain: true });
const seen = (retained: Retained, filter: string): string[] =>
  [...retained.matching([filter])].map(({ topic, payload }) => `${topic} ${payload}`);

test('what the gateway itself tells is given to subscribers who ask for it, and neither counted nor stored', () => {
  let changes = 0;
  const retained = new Retained(() => {
    changes += 1;
  });
  expect(retained.tell(packet('$headwater/state', 'ready'))).toBe(true);
  expect(retained.tell(packet('$headwater/state', 'ready'))).toBe(false);
  expect(retained.tell(packet('$headwater/state', 'degraded'))).toBe(true);
  expect(seen(retained, '$headwater/#')).toEqual(['$headwater/state degraded']);
  expect(seen(retained, '#')).toEqual([]);
  expect([retained.count, changes]).toEqual([0, 0]);
  expect(retained.changes(true)).toEqual({ put: [], remove: [] });
});

test('an empty message of the gateway takes away what it told, once', () => {
  const retained = new Retained(() => {});
  expect(retained.tell(packet('$headwater/alerts/spike/air', ''))).toBe(false);
  retained.tell(packet('$headwater/alerts/spike/air', 'x'));
  expect(retained.tell(packet('$headwater/alerts/spike/air', ''))).toBe(true);
  expect(seen(retained, '$headwater/#')).toEqual([]);
  expect(retained.tell(packet('$headwater/alerts/spike/air', ''))).toBe(false);
});
