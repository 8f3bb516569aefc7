/* Requests to the gateway that served this page. */

/** The gateway refused a request; the message is for people. */
export class Refused extends Error {
  /** @param {number} status @param {string} message @param {number | null} retrySeconds */
  constructor(status, message, retrySeconds) {
    super(message);
    this.status = status;
    this.retrySeconds = retrySeconds;
  }
}

/**
 * The answer of the API as JSON. The caller says of which type it is.
 * @template Answer
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<Answer>}
 * @throws {Refused}
 */
export async function ask(method, path, body) {
  const init =
    body === undefined
      ? { method }
      : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, init);
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const seconds = Number(response.headers.get('retry-after'));
  throw new Refused(
    response.status,
    answer.error?.message ?? `the gateway answered ${response.status}`,
    seconds > 0 ? seconds : null,
  );
}

/** An error in words. @param {unknown} error */
export function inWords(error) {
  if (error instanceof Refused) return error.message;
  return 'the gateway does not answer; is it running, and are you on its network?';
}
