import { assert } from '../../../core/errors.ts';
import { objectOf, type Schema, text } from './json-schema.ts';

/** What is known of a route when it is added. */
export interface AddedRoute {
  readonly method: string | string[];
  readonly url: string;
  readonly config?: object | undefined;
  readonly schema?:
    | {
        readonly summary?: string;
        readonly body?: unknown;
        readonly querystring?: unknown;
        readonly response?: unknown;
      }
    | undefined;
}

/** The description of the API. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  readonly components: object;
}

const errorSchema = objectOf<{ error: object }>({
  error: objectOf<{ code: string; message: string }>({ code: text, message: text }),
});

const info = {
  title: 'Headwater admin API',
  version: '1',
  description:
    'Every request carries the token of the file admin.token in the data folder, or the cookie of a login; a change by the ' +
    'cookie also carries the Origin of the gateway. Answers other than those described here are errors.',
};

const components = {
  securitySchemes: {
    token: { type: 'http', scheme: 'bearer' },
    login: { type: 'apiKey', in: 'cookie', name: 'headwater' },
  },
  responses: {
    Error: {
      description: 'What is wrong, in words, with a code for programs.',
      content: { 'application/json': { schema: errorSchema } },
    },
  },
};

/** The paths that are described; others are files of the page. */
const isDescribed = (url: string): boolean => /^\/(?:api\/|healthz$|readyz$|metrics$)/.test(url);

/** Collects the routes of a server as they are added, and describes them. */
export class ApiDescription {
  readonly #routes: AddedRoute[] = [];

  /** A route of the API without a summary and its answers is a bug of ours: the server does not start with it. */
  add(route: AddedRoute): void {
    if (!isDescribed(route.url)) return;
    const { summary, response } = route.schema ?? {};
    assert(
      summary !== undefined && response !== undefined,
      `${route.method} ${route.url} has a summary and the schemas of its answers`,
    );
    this.#routes.push(route);
  }

  /** OpenAPI 3.1, by path and method. */
  document(): OpenApi {
    const paths: Record<string, Record<string, Schema>> = {};
    for (const route of this.#routes.toSorted((one, other) => (one.url < other.url ? -1 : 1))) {
      const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
      for (const method of [route.method].flat())
        paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route) };
    }
    return { openapi: '3.1.0', info, paths, components };
  }
}

function operation({ url, config, schema = {} }: AddedRoute): Schema {
  const { summary, body, querystring, response } = schema;
  const parameters = [...pathParameters(url), ...queryParameters(querystring)];
  return {
    summary,
    security: config !== undefined && 'open' in config ? [] : [{ token: [] }, { login: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: body } } },
    }),
    responses: {
      ...Object.fromEntries(Object.entries(response ?? {}).map(([status, one]) => [status, answer(one)])),
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

/** A schema is that of JSON; another kind of content is said by itself. */
const answer = (response: object): Schema =>
  'content' in response
    ? { description: 'As asked.', ...response }
    : { description: 'As asked.', content: { 'application/json': { schema: response } } };

const pathParameters = (url: string): readonly Schema[] =>
  [...url.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: text }));

function queryParameters(querystring: unknown): readonly Schema[] {
  const { properties = {}, required = [] } = (querystring ?? {}) as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
