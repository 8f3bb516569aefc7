import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { isLoopback } from '../config/address.ts';
import type { AdminAccess } from './access/admin-access.ts';
import { putAnswerHeaders } from './access/answer-headers.ts';
import { RequestRate } from './access/request-rate.ts';
import type { AdminApp, AdminReply, AdminRequest } from './admin-app.ts';
import { ADMIN_TOKEN_FILE } from './admin-token.ts';
import { ApiError } from './api-error.ts';
import { peerOf } from './peer.ts';

/** By what the gateway may be called, in lower case. */
export interface OwnNames {
  /** Those of this machine, and its addresses at this moment. */
  readonly machine: ReadonlySet<string>;
  /** What else is configured; at any port, because whoever passes requests on may have another one. */
  readonly configured: ReadonlySet<string>;
}

export interface GuardOptions {
  readonly access: AdminAccess;
  readonly isHttps: boolean;
  readonly port: () => number;
  readonly names: () => OwnNames;
  readonly clock: Clock;
}

/**
 * Looks at every request before anything else does. A route with `config: { open: true }` is for everybody; all others want the
 * token or a login.
 */
export function guard(app: AdminApp, options: GuardOptions): void {
  const rate = new RequestRate(options.clock);
  app.addHook('onRequest', (request, reply, done) => {
    putAnswerHeaders(reply.raw);
    requirePath(request.raw.url ?? '');
    requireOwn(request, options);
    requireCredential(request, reply, options.access, rate);
    done();
  });
}

/** A path and nothing else, as every client but one that tries something sends it. */
function requirePath(url: string): void {
  if (/^\/(?!\/)[^\\#]*$/.test(url)) return;
  throw new ApiError('bad-request', 'ask for a path of this server, such as /api/status');
}

/**
 * Refuses what may come from a web page of somebody else: any page can send requests to this machine, but it cannot hide its
 * origin, and a page whose name was re-bound to this machine cannot hide that name.
 */
function requireOwn({ headers, raw }: AdminRequest, { isHttps, port, names }: GuardOptions): void {
  const { host = '', origin } = headers;
  // Whoever sends two hopes that each is read by somebody else.
  if (raw.headersDistinct['host']?.length !== 1 || !isOwnHost(host, port(), isHttps, names)) {
    throw new ApiError(
      'forbidden',
      `the Host header must be a name or address of this machine with port ${port()}, not "${host}"; other names that lead here ` +
        'are listed in admin.names',
    );
  }
  if (origin !== undefined && !isOwnOrigin(origin.toLowerCase(), host.toLowerCase(), isHttps, names))
    throw new ApiError(
      'forbidden',
      `requests from web pages of "${origin}" are refused; a proxy has to pass the Host header on as it came, and its name ` +
        'stands in admin.names',
    );
}

/**
 * Whether it is the origin of the request itself. Plain HTTP is for loopback, so that a proxy which passes a configured name on is on
 * this machine: browsers may reach that by HTTPS. Never the other way round: what left the gateway secured does not arrive without.
 */
function isOwnOrigin(origin: string, host: string, isHttps: boolean, names: () => OwnNames): boolean {
  if (origin === `${isHttps ? 'https' : 'http'}://${host}`) return true;
  const name = hostIn(host)?.name ?? '';
  return !isHttps && origin === `https://${host}` && names().configured.has(name);
}

/** Whether the browser that sends this request is spoken to by HTTPS, by the gateway or by a proxy; only behind {@link guard}. */
export const isSecured = ({ origin }: { readonly origin?: string | undefined }, isHttps: boolean): boolean =>
  isHttps || origin?.toLowerCase().startsWith('https://') === true;

/** Name (or address) and port of a Host header; undefined if it is none. */
function hostIn(host: string): { readonly name: string; readonly port: string | undefined } | undefined {
  const match = /^(?:([a-z0-9.-]+)|\[([0-9a-f:.]+)\])(?::(\d{1,5}))?$/i.exec(host);
  if (match === null) return undefined;
  const [, plain, bracketed = '', port] = match;
  const name = (plain ?? bracketed).toLowerCase();
  return plain === undefined && isIP(name) !== 6 ? undefined : { name, port };
}

function isOwnHost(host: string, port: number, isHttps: boolean, names: () => OwnNames): boolean {
  const written = hostIn(host);
  if (written === undefined) return false;
  const { name, port: given } = written;
  const isPort = Number(given ?? (isHttps ? 443 : 80)) === port;
  if (isLoopback(name)) return isPort;
  const { machine, configured } = names();
  return (isPort && machine.has(name)) || configured.has(name);
}

function requireCredential(
  request: AdminRequest,
  reply: AdminReply,
  access: AdminAccess,
  rate: RequestRate,
): void {
  const { headers, method } = request;
  const credential = access.credentialOf(headers);
  const isOpen = 'open' in request.routeOptions.config;
  if (credential === null) {
    const waitMs = rate.waitMs(peerOf(request.ip));
    if (waitMs > 0)
      throw new ApiError('too-many-requests', 'too many requests without a login: slow down', waitMs);
    if (isOpen) return;
    throw new ApiError(
      'unauthorized',
      `log in, or send the header "Authorization: Bearer …" with the content of the file ${ADMIN_TOKEN_FILE} in the data folder`,
    );
  }
  if (credential.kind === 'token') return;
  // A browser adds the cookie by itself, whoever asks it to.
  if (method !== 'GET' && headers.origin === undefined)
    throw new ApiError('forbidden', 'a change by a login needs the Origin header that a browser sends');
  // What streams to a page ends with its login; an answer that has yet to begin may tell of the end.
  const forget = access.whenEnded(credential.token, () => {
    if (reply.raw.headersSent) reply.raw.destroy();
  });
  reply.raw.once('close', forget);
}
