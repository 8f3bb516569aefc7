/** One answer of a connection. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The answers in what a connection received. */
export function answersIn(received: string): readonly Answer[] {
  const parts = received.split(/(?=HTTP\/1\.1 \d{3} )/).filter((part) => part.startsWith('HTTP/1.1 '));
  return parts.map((part) => {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    return { status: Number(head.slice(9, 12)), head, body: rest.join('\r\n\r\n') };
  });
}

/** What anybody may see: whether it is healthy, ready and claimed, and the page, which holds no data. */
const openBodies = [/^\{"healthy":/, /^\{"ready":/, /^\{"state":/, /^<!doctype html>\n<html lang="en">/];

/** What is wrong with the answers to one connection; empty if nothing is. */
export function wrongAnswers(hasToken: boolean, answers: readonly Answer[]): readonly string[] {
  return answers.flatMap((answer) => {
    const { status, head, body } = answer;
    const shown = `${head.split('\r\n')[0]} ${body.slice(0, 300)}`;
    if (status >= 500 && status !== 503) return [`an answer that tells of a bug: ${shown}`];
    if (hasToken || status < 200 || status > 299) return [];
    return openBodies.some((open) => open.test(body)) ? [] : [`served without a credential: ${shown}`];
  });
}
