import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ServerTls } from '../../ingest/mqtt/server-tls.ts';
import { openFileWarnings, readCertificates, readKeyPair } from '../pem-files.ts';
import type { Certified } from './own-certificate.ts';
import type { TlsStatus } from './tls-status.ts';

/** The files of the configuration. */
export interface TlsFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly clientCaFile?: string | undefined;
  readonly clientCertificates?: 'optional' | 'required' | undefined;
}

export interface TlsCredentialsOptions {
  /** What names the files. */
  readonly section: 'mqtt.tls' | 'admin.tls';
  readonly config: TlsFiles;
  /** Where the certificate is: that of the configuration, or the gateway's own. */
  readonly certificateFile: string;
  /** Null if the configuration names certificate and key. */
  readonly own: Certified | null;
  /** What is shown while the files never could be used; null for nothing, which lets nobody in. */
  readonly standIn: Certified | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Credentials = NonNullable<ServerTls['credentials']>;

/**
 * Certificates and keys of the TLS listeners. Files are read again when they change, for connections to come; while they cannot be
 * used, what was read before stays.
 */
export class TlsCredentials implements ServerTls {
  readonly #options: TlsCredentialsOptions;
  readonly #stopped = new AbortController();
  readonly #listeners: (() => void)[] = [];
  #credentials: Credentials | null = null;
  #certificate: X509Certificate | null = null;
  #problems: readonly string[] = [];
  /** Of the files, when they were last read. */
  #state = '';
  #watching: Promise<void> = Promise.resolve();

  private constructor(options: TlsCredentialsOptions) {
    this.#options = options;
  }

  /** Reads the files, and watches them. Never rejects: a gateway starts whatever is in them, and waits for better ones. */
  static async open(options: TlsCredentialsOptions): Promise<TlsCredentials> {
    const credentials = new TlsCredentials(options);
    await credentials.#look();
    credentials.#watching = credentials.#watch();
    return credentials;
  }

  get credentials(): Credentials | null {
    return this.#credentials;
  }

  get clientCertificates(): ServerTls['clientCertificates'] {
    const { clientCaFile, clientCertificates = 'optional' } = this.#options.config;
    return clientCaFile === undefined ? 'off' : clientCertificates;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  status(): TlsStatus {
    return {
      certificateFile: this.#options.certificateFile,
      fingerprint: this.#certificate?.fingerprint256 ?? null,
      validToMs: this.#certificate?.validToDate.getTime() ?? null,
      clientCertificates: this.clientCertificates,
      problems: this.#problems,
    };
  }

  /** What the user should know when the gateway starts, one line each. */
  async warnings(): Promise<readonly string[]> {
    const { keyFile } = this.#options.config;
    const files =
      keyFile === undefined ? [] : [{ setting: `${this.#options.section}.keyFile`, path: keyFile }];
    return [...this.#problems, ...(await openFileWarnings(files))];
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { section, clock, logger } = this.#options;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(limits.mqttCertificateLookMs, this.#stopped.signal);
      const before = this.#problems.join('\n');
      if (this.#stopped.signal.aborted || !(await this.#look())) continue;
      const { fingerprint } = this.status();
      if (this.#problems.length === 0) {
        logger.info({ fingerprint }, `certificates of ${section} were read anew`);
        for (const listener of this.#listeners) listener();
      } else if (this.#problems.join('\n') !== before) {
        const fields = { problems: this.#problems, fingerprint };
        logger.warn(fields, `new certificates of ${section} cannot be used; those from before stay`);
      }
    }
  }

  /** Reads the files if they are others than before; whether that was so. */
  async #look(): Promise<boolean> {
    const { certFile, keyFile, clientCaFile } = this.#options.config;
    const paths = [certFile, keyFile, clientCaFile].filter((path) => path !== undefined);
    const state = (await Promise.all(paths.map(stateOf))).join('\n');
    // What could not be used may have been half written within the resolution of the clock of the file system.
    if (state === this.#state && this.#problems.length === 0 && this.#credentials !== null) return false;
    this.#state = state;
    const problems: string[] = [];
    const read = await this.#read(problems);
    this.#problems = problems;
    if (read !== null) this.#show(read);
    else if (this.#credentials === null && this.#options.standIn !== null)
      this.#show(credentialsOf(this.#options.standIn));
    return true;
  }

  #show(credentials: Credentials): void {
    this.#credentials = credentials;
    this.#certificate = new X509Certificate(credentials.cert);
  }

  async #read(problems: string[]): Promise<Credentials | null> {
    const { section, config, own } = this.#options;
    const { clientCaFile } = config;
    const { certFile = '', keyFile = '' } = config;
    const given = own === null ? await readKeyPair(section, { certFile, keyFile }, problems) : null;
    const certified = own ?? (given && { certificate: given.chain, key: given.key });
    const ca =
      clientCaFile === undefined
        ? undefined
        : await readCertificates(`${section}.clientCaFile`, clientCaFile, problems);
    if (problems.length > 0 || certified === null) return null;
    const credentials = { ...credentialsOf(certified), ...(ca && { ca: ca.map(String) }) };
    try {
      createSecureContext(credentials);
      return credentials;
    } catch (error) {
      problems.push(`${section}: OpenSSL refuses these certificates: ${messageOf(error)}; make new ones`);
      return null;
    }
  }
}

const credentialsOf = ({ certificate, key }: Certified): Credentials => ({ cert: certificate, key });

/** What changes when somebody writes or replaces a file, also one that it is a link to. */
async function stateOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return messageOf(error);
  }
}
