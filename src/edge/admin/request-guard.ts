import { ADMIN_TOKEN_FILE, carriesToken } from './admin-token.ts';
import { ApiError } from './api-error.ts';

/** What the guard looks at. */
export interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
}

/**
 * Refuses what may come from a web page: any page can send requests to loopback, but it cannot hide its origin, and a
 * page whose name was re-bound to 127.0.0.1 cannot hide that name.
 * @throws ApiError `forbidden`
 */
export function requireLocal(headers: GuardedHeaders, port: number): void {
  const host = headers.host ?? '';
  if (!isLoopbackWithPort(host, port)) {
    throw new ApiError(
      'forbidden',
      `the Host header must be localhost or a loopback address with port ${port}, not "${host}"`,
    );
  }
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new ApiError('forbidden', `requests from web pages of "${headers.origin}" are refused`);
  }
}

/** @throws ApiError `unauthorized` */
export function requireToken(headers: GuardedHeaders, token: string): void {
  if (carriesToken(headers.authorization, token)) return;
  throw new ApiError(
    'unauthorized',
    `send the header "Authorization: Bearer …" with the content of the file ${ADMIN_TOKEN_FILE} in the data folder`,
  );
}

function isLoopbackWithPort(host: string, port: number): boolean {
  const match = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i.exec(host);
  return match !== null && Number(match[1] ?? 80) === port;
}
