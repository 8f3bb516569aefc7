import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { ListenerKind, ListenerOptions } from '../../../src/ingest/mqtt/listener.ts';
import type { ServerTls } from '../../../src/ingest/mqtt/server-tls.ts';
import { type Authority, type Certified, certificateAuthority } from '../../support/certificates.ts';
import { Harness, noQos2Log, plainListener } from './harness.ts';

/** Credentials that the test changes. */
export class TestTls implements ServerTls {
  readonly clientCertificates: ServerTls['clientCertificates'];
  credentials: ServerTls['credentials'];
  readonly #listeners: (() => void)[] = [];

  constructor(
    credentials: ServerTls['credentials'],
    clientCertificates: ServerTls['clientCertificates'] = 'off',
  ) {
    this.credentials = credentials;
    this.clientCertificates = clientCertificates;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  change(credentials: ServerTls['credentials']): void {
    this.credentials = credentials;
    for (const listener of this.#listeners) listener();
  }
}

/** A gateway with TLS listeners, a CA that its clients trust, and one that signs the certificates of clients. */
export interface TlsSite extends AsyncDisposable {
  readonly harness: Harness;
  readonly tls: TestTls;
  readonly serverCa: Authority;
  readonly clientCa: Authority;
  /** What the server shows at first. */
  readonly server: Certified;
  /** A handshake that is done. */
  dial(options?: ConnectionOptions, kind?: ListenerKind): Promise<TLSSocket>;
}

export async function tlsSite(
  clientCertificates: ServerTls['clientCertificates'] = 'off',
  kinds: readonly ListenerKind[] = ['mqtts'],
): Promise<TlsSite> {
  const serverCa = certificateAuthority('server CA');
  const clientCa = certificateAuthority('client CA');
  const server = serverCa.issue({ name: 'gw1', hosts: ['127.0.0.1', 'localhost'] });
  const ca = clientCertificates === 'off' ? {} : { ca: [clientCa.certificate] };
  const tls = new TestTls({ cert: server.certificate, key: server.key, ...ca }, clientCertificates);
  const listeners = kinds.map(
    (kind): ListenerOptions => ({
      ...plainListener,
      kind,
      tls: kind === 'mqtts' || kind === 'wss' ? tls : null,
    }),
  );
  const harness = await Harness.start(noQos2Log, { listeners });
  const sockets: TLSSocket[] = [];
  return {
    harness,
    tls,
    serverCa,
    clientCa,
    server,
    dial: (options = {}, kind = 'mqtts') =>
      new Promise((resolve, reject) => {
        const trusted = { host: '127.0.0.1', port: harness.port(kind), ca: serverCa.certificate };
        const socket = connectTls({ ...trusted, ...options }, () => resolve(socket));
        sockets.push(socket);
        socket.on('error', reject);
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await harness[Symbol.asyncDispose]();
    },
  };
}
