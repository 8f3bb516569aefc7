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

/** Whether the head of what anybody may see was asked for, whose answer has no body. */
const asksForOpenHead = (sent: string): boolean =>
  [...sent.matchAll(/HEAD \/([^\s?#;]*)/g)].some(([, path = '']) =>
    ['', 'healthz', 'readyz'].includes(plainPath(path)),
  );

function plainPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** What is wrong with the answers to what was sent by one connection; empty if nothing is. */
export function wrongAnswers(hasToken: boolean, sent: string, answers: readonly Answer[]): readonly string[] {
  return answers.flatMap((answer) => {
    const { status, head, body } = answer;
    const shown = `${head.split('\r\n')[0]} ${body.slice(0, 300)}`;
    if (status >= 500 && status !== 503) return [`an answer that tells of a bug: ${shown}`];
    if (hasToken || status < 200 || status > 299) return [];
    const isOpen =
      body === '' ? status === 200 && asksForOpenHead(sent) : openBodies.some((open) => open.test(body));
    return isOpen ? [] : [`served without a credential: ${shown}`];
  });
}
