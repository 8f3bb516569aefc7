import { SimRandom } from '../support/sim-random.ts';

/** One method at one path of openapi.json, and the example of a body that its schema takes. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly body: unknown;
}

/** What one connection sends. */
export interface FuzzedConnection {
  readonly localAddress: string;
  /** Whether one of its requests carries the token. */
  readonly hasToken: boolean;
  readonly requests: number;
  readonly pieces: readonly Buffer[];
  /** Whether the client goes away when all is written, without an answer. */
  readonly isCut: boolean;
}

export interface Target {
  readonly operations: readonly Operation[];
  readonly port: number;
  readonly token: string;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minimum?: number;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

interface DescribedOperation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

/** It is set by whoever has the token, so nobody else may send it. */
const PASSWORD = 'password of the fuzz';

/** All operations of a description. */
export function operationsOf(description: unknown): readonly Operation[] {
  return Object.entries((description as Description).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      body: requestBody === undefined ? undefined : exampleOf(requestBody.content['application/json'].schema),
    })),
  );
}

function exampleOf({ type, properties = {}, items = {}, minimum = 0 }: Schema): unknown {
  const kind = typeof type === 'object' ? type[0] : type;
  if (kind === 'object')
    return Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        name === 'password' ? PASSWORD : exampleOf(schema),
      ]),
    );
  if (kind === 'array') return [exampleOf(items)];
  if (kind === 'integer' || kind === 'number') return minimum + 1;
  if (kind === 'boolean') return true;
  return 'fuzzed';
}

const strange = [
  '',
  '\0',
  'é😀',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  '-1',
  '1e309',
  'null',
  'NaN',
];
const values = [null, true, -1, 0, 1.5, 1e308, 2 ** 53, '', 'x'.repeat(5000), [], {}, [[]], ...strange];
const names = ['readings', 'events', 'clock', 'fuzzed', 'fuzzed%2f', '%00', '..', '%2e%2e', 'x'.repeat(300)];
const pathTricks: readonly ((path: string) => string)[] = [
  (path) => `/${path}`,
  (path) => `${path}/`,
  (path) => path.toUpperCase(),
  (path) => path.replace('/api', '/healthz/../api'),
  (path) => path.replace('/api', '/api/./'),
  (path) => `http://127.0.0.1${path}`,
  (path) => path.replaceAll('/', '%2f'),
  (path) => path.replaceAll('/', '\\'),
  (path) => path.replace('a', '%61'),
  (path) => `${path}%`,
  (path) => `${path};x=/healthz`,
  (path) => `${path}#/healthz`,
  (path) => `/healthz?${path}`,
  (path) => `${path}?${'x=1&'.repeat(2000)}`,
];
/** Lines of headers that confuse; PORT stands for that of the gateway. */
const headerTricks = [
  'host: evil.example',
  'host: 127.0.0.1:PORT\r\nhost: 127.0.0.1:PORT',
  'host: [::1]:PORT',
  'host: 127.0.0.1:PORT@evil.example',
  'origin: http://evil.example',
  'origin: null',
  'origin: http://127.0.0.1:PORT',
  'content-length: 0\r\ncontent-length: 5',
  'content-length: -1',
  'content-length: 99999999999999999999',
  'content-length: 5000000',
  'transfer-encoding: chunked\r\ncontent-length: 4',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: chunked, identity',
  'transfer-encoding : chunked',
  'expect: 100-continue',
  'expect: nothing',
  'upgrade: websocket\r\nconnection: upgrade',
  'connection: close, host',
  'content-type: text/plain',
  'content-type: application/json; charset=utf-16',
  'content-type: \u00ff',
  'accept-encoding: \0',
  'x-forwarded-for: 127.0.0.1',
  'x-http-method-override: DELETE',
  ' folded: 1',
  ': no name',
  'range: bytes=0-',
  'if-none-match: *',
  `x: ${'y'.repeat(20_000)}`,
  'x: 1\r\n'.repeat(150).trimEnd(),
];
const credentials = [
  'authorization: Bearer ',
  'authorization: Bearer HALF',
  'authorization: Basic YWRtaW46YWRtaW4=',
  'authorization: bearer\tx',
  `cookie: headwater=${'0'.repeat(64)}`,
  `cookie: ${'headwater='.repeat(500)}`,
  'cookie: headwater=HALF',
];
const methods = [
  'GET',
  'POST',
  'DELETE',
  'PATCH',
  'PUT',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PRI',
  'get',
];
/** Hashing a password is meant to take long, so fewer of those that may do it. */
const isSlow = ({ path, method }: Operation): boolean =>
  /password|users|claim|session/.test(path) && method !== 'GET' && method !== 'DELETE';

/** What connection `number` sends; the same for the same seed, port and token. */
export function fuzzedConnection(seed: number, number: number, target: Target): FuzzedConnection {
  const random = new SimRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const hasToken = random.chance(0.5);
  const requests = random.chance(0.2) ? 2 + random.below(6) : 1;
  const texts = Array.from({ length: requests }, (_, index) =>
    request(random, target, hasToken, index === requests - 1),
  );
  let bytes = Buffer.from(texts.join(''), random.chance(0.9) ? 'utf8' : 'latin1');
  const isTruncated = random.chance(0.08);
  if (isTruncated) bytes = bytes.subarray(0, random.below(bytes.length));
  if (random.chance(0.1))
    for (let left = 1 + random.below(4); left > 0; left -= 1)
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
  const at = random.chance(0.15) ? random.below(bytes.length + 1) : bytes.length;
  return {
    localAddress: `127.${1 + (number % 250)}.${1 + (Math.floor(number / 250) % 250)}.1`,
    hasToken,
    requests,
    pieces: [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0),
    isCut: random.chance(0.05) || (isTruncated && random.chance(0.9)),
  };
}

function request(random: SimRandom, target: Target, hasToken: boolean, isLast: boolean): string {
  const operation = operationFor(random, target);
  const method = random.chance(0.1) ? pick(random, methods) : operation.method;
  const fill = (line: string): string =>
    line.replaceAll('PORT', `${target.port}`).replaceAll('HALF', target.token.slice(0, -1));
  const lines = [
    `${method} ${pathFor(random, operation)} HTTP/1.${random.chance(0.97) ? 1 : random.below(10)}`,
  ];
  if (random.chance(0.97)) lines.push(fill('host: 127.0.0.1:PORT'));
  if (hasToken && random.chance(0.95)) lines.push(`authorization: Bearer ${target.token}`);
  if (!hasToken && random.chance(0.5)) lines.push(fill(pick(random, credentials)));
  if (random.chance(0.25)) lines.push(fill(pick(random, headerTricks)));
  if (isLast && random.chance(0.9)) lines.push('connection: close');
  const made = bodyFor(random, operation.body);
  const body = hasToken ? made : made.replaceAll(PASSWORD, 'guess at the password');
  if (body === '') return `${lines.join('\r\n')}\r\n\r\n`;
  if (random.chance(0.95)) lines.push('content-type: application/json');
  if (random.chance(0.15)) {
    const size = random.chance(0.8)
      ? Buffer.byteLength(body).toString(16)
      : pick(random, ['-1', 'g', 'fffffffff']);
    return `${lines.join('\r\n')}\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
  }
  const length = Buffer.byteLength(body) + (random.chance(0.95) ? 0 : random.below(20) - 10);
  return `${lines.join('\r\n')}\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

function operationFor(random: SimRandom, { operations }: Target): Operation {
  const one = pick(random, operations);
  return isSlow(one) && random.chance(0.9) ? pick(random, operations) : one;
}

function pathFor(random: SimRandom, { path, query }: Operation): string {
  const filled = path.replace(/\{\w+\}/g, () =>
    random.chance(0.9) ? pick(random, names) : encodeURIComponent(pick(random, strange)),
  );
  const asked = query
    .filter(() => random.chance(0.6))
    .map(
      (name) =>
        `${name}=${random.chance(0.7) ? queryValue(random, name) : encodeURIComponent(pick(random, strange))}`,
    );
  const whole = asked.length === 0 ? filled : `${filled}?${asked.join('&')}`;
  return random.chance(0.15) ? pick(random, pathTricks)(whole) : whole;
}

const queryValue = (random: SimRandom, name: string): string =>
  name === 'topic' || name === 'name'
    ? pick(random, names)
    : name === 'follow'
      ? 'true'
      : `${random.below(20)}`;

function bodyFor(random: SimRandom, example: unknown): string {
  if (example === undefined && random.chance(0.9)) return '';
  if (random.chance(0.03)) return '['.repeat(20_000);
  if (random.chance(0.03)) return `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
  const text = JSON.stringify(random.chance(0.6) ? mutated(random, example ?? {}) : (example ?? {}));
  if (random.chance(0.1)) return text.slice(0, random.below(text.length));
  return random.chance(0.05) ? text.replace('{', '{"__proto__":{"x":1},') : text;
}

function mutated(random: SimRandom, value: unknown): unknown {
  if (random.chance(0.15)) return pick(random, values);
  if (typeof value === 'string' && random.chance(0.5)) return pick(random, names);
  if (Array.isArray(value)) return value.map((item) => mutated(random, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => random.chance(0.7))
      .map(([name, item]) => [name, mutated(random, item)]),
  );
}

function pick<Item>(random: SimRandom, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}
