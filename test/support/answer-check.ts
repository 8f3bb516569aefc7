import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/*
 * Whoever imports this has every JSON answer of every admin server of its process checked against openapi.json: one that differs
 * is not sent, but ends as an error 500 that says how. The tier `fast` imports it, and so do the gateways that tests start.
 */

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>
  >;
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: { readonly Error: Operation['responses'][string] } };
}

interface Hooked {
  addHook(
    name: 'onSend',
    hook: (
      request: { readonly method: string; readonly routeOptions: { readonly url?: string } },
      reply: { readonly statusCode: number; getHeader(name: string): unknown },
      payload: unknown,
      done: (error: Error | null, payload?: unknown) => void,
    ) => void,
  ): void;
}

let described: Described | undefined;
let ajv: Ajv2020 | undefined;

const description = (): Described => {
  described ??= JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as Described;
  return described;
};

/** What is wrong with an answer of a route, by the description; null if nothing is. */
export function answerProblem(
  { method, url }: { readonly method: string; readonly url: string },
  status: number,
  contentType: string,
  body: string,
): string | null {
  const operation = description().paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  if (operation === undefined) return `${method} ${url} is not in openapi.json; write it by npm run openapi`;
  const type = contentType.split(';')[0] ?? '';
  const answer = operation.responses[String(status)] ?? description().components.responses.Error;
  const schema = answer.content?.[type]?.schema;
  if (schema === undefined) return `${method} ${url} answers ${status} with ${type}, which is not described`;
  if (type !== 'application/json') return null;
  ajv ??= new Ajv2020({ strictTypes: false, allErrors: true });
  const isRight = ajv.compile(schema);
  if (isRight(JSON.parse(body))) return null;
  return `${method} ${url} answers ${status} otherwise than described: ${ajv.errorsText(isRight.errors)}`;
}

/** The same for one line, or one event, of an answer that is a stream of them. */
export const lineProblem = (url: string, line: string): string | null => {
  const content = description().paths[url]?.['get']?.responses['200']?.content ?? {};
  const { schema = false } = content['application/x-ndjson'] ?? content['text/event-stream'] ?? {};
  ajv ??= new Ajv2020({ strictTypes: false, allErrors: true });
  const isRight = ajv.compile(schema);
  return isRight(JSON.parse(line)) ? null : ajv.errorsText(isRight.errors);
};

const check: Parameters<Hooked['addHook']>[1] = (request, reply, payload, done) => {
  const { url } = request.routeOptions;
  // The description itself is compared as a whole, and may not be there yet.
  const isOurs = url !== undefined && /^\/(?:api\/(?!openapi)|healthz$|readyz$|metrics$)/.test(url);
  const type = String(reply.getHeader('content-type') ?? '');
  const problem =
    isOurs && typeof payload === 'string'
      ? answerProblem({ method: request.method, url }, reply.statusCode, type, payload)
      : null;
  if (problem === null) return done(null, payload);
  console.error(`ANSWER: ${problem}`);
  done(Object.assign(new Error(problem), { statusCode: 499 }));
};

subscribe('fastify.initialization', (message) => {
  (message as { fastify: Hooked }).fastify.addHook('onSend', check);
});
