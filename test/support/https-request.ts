import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** One request by HTTPS to `host:port`, where a certificate of this CA for localhost is to be shown. */
export function httpsRequest(
  address: string,
  path: string,
  options: {
    readonly ca: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: object;
  },
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const { ca, method = 'GET', headers = {}, body } = options;
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: host === '0.0.0.0' ? '127.0.0.1' : host,
      port,
      path,
      method,
      ca,
      agent: false,
      servername: 'localhost',
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      text(response).then(
        (received) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
        reject,
      );
    });
    outgoing.end(body && JSON.stringify(body));
  });
}
