import type { ServerTls } from '../../ingest/mqtt/server-tls.ts';

/** What the TLS listeners show to clients, as the status tells it. */
export interface TlsStatus {
  /** The file with the certificate. */
  readonly certificateFile: string;
  /** SHA-256; null while there is no usable certificate. */
  readonly fingerprint: string | null;
  /** The end of the certificate, by the wall clock; null while there is no usable one. */
  readonly validToMs: number | null;
  readonly clientCertificates: ServerTls['clientCertificates'];
  /** What is wrong with the files at present, each with what to do. An older certificate may be in use all the same. */
  readonly problems: readonly string[];
}
