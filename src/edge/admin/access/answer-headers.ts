import type { ServerResponse } from 'node:http';

/**
 * What stands on every answer: it comes from here alone, is shown in no frame, says nothing of where its reader was, and is kept
 * nowhere. A route may allow its own answer to be kept.
 */
const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Puts them on an answer that has not begun, whoever will write it. */
export function putAnswerHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** The same as text, line ends included, where there is no answer of the HTTP library. */
export const answerHeaderLines: string = Object.entries(headers)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
