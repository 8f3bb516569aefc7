import { answersIn, wrongAnswers } from './http-judge.ts';

/** What such a one sends. */
const sent = 'HEAD /metrics HTTP/1.1\r\n\r\n';
/** Answers of a gateway with a bug to somebody without a credential, each of which must be told. */
const planted = [
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"topics":[]}',
  'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n# HELP headwater_up',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 9000\r\n\r\n',
  'HTTP/1.1 500 Internal Server Error\r\n\r\n{"error":{"code":"internal"}}',
  'HTTP/1.1 200 OK\r\n\r\n{"healthy":true}HTTP/1.1 200 OK\r\n\r\n{"users":[]}',
];

/** How many bugs are planted, and how many of them the judge tells. */
export function caughtCanaries(): { readonly planted: number; readonly caught: number } {
  const caught = planted.filter((received) => wrongAnswers(false, sent, answersIn(received)).length === 1);
  return { planted: planted.length, caught: caught.length };
}
