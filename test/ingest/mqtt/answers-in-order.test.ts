import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswersInOrder } from '../../../src/ingest/mqtt/answers-in-order.ts';

const arrivals = fc.array(fc.record({ client: fc.nat(2), rank: fc.nat(1000) }), { maxLength: 30 });

test('answers leave in the order of arrival, client by client, in whatever order they are settled', () => {
  fc.assert(
    fc.property(arrivals, (came) => {
      const clients = [{}, {}, {}];
      const answers = new AnswersInOrder();
      const given: number[][] = [[], [], []];
      const awaited = came.map(({ client, rank }, number) => ({
        client,
        rank,
        number,
        one: answers.expect(clients[client] as object),
      }));
      for (const { client, number, one } of awaited.toSorted((a, b) => a.rank - b.rank))
        answers.settle(clients[client] as object, one, () => void given[client]?.push(number));
      const wanted = [0, 1, 2].map((of) =>
        awaited.filter(({ client }) => client === of).map(({ number }) => number),
      );
      expect(given).toEqual(wanted);
      expect(answers.awaited).toBe(0);
    }),
  );
});

test('nothing is answered before its turn, nor forgotten when an answer settles the next one itself', () => {
  const client = {};
  const answers = new AnswersInOrder();
  const [first, second, third] = [answers.expect(client), answers.expect(client), answers.expect(client)];
  const given: string[] = [];
  answers.settle(client, third, () => given.push('third'));
  expect([given, answers.awaited]).toEqual([[], 3]);
  answers.settle(client, first, () => {
    given.push('first');
    answers.settle(client, second, () => given.push('second'));
  });
  expect([given, answers.awaited]).toEqual([['first', 'second', 'third'], 0]);
});
