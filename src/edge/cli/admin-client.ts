import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { isOperatingError, messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Address, isAnywhere, parseAddress } from '../config/address.ts';
import { readGatewayFile } from '../gateway-file.ts';
import { LineSplitter } from './lines.ts';

/** Talks to the running gateway of a data folder over its admin API. */
export class AdminClient {
  readonly #address: Address;
  readonly #token: string;
  readonly #dataFolder: string;
  /** That of the certificate which the gateway shows; null if it speaks plain HTTP. */
  readonly #fingerprint: string | null;

  private constructor(address: Address, token: string, dataFolder: string, fingerprint: string | null) {
    this.#address = address;
    this.#token = token;
    this.#dataFolder = dataFolder;
    this.#fingerprint = fingerprint;
  }

  /**
   * Finds the gateway by `gateway.json` and `admin.token` in its data folder.
   * @throws OperatingError `gateway-not-running`; `gateway-unreachable` if this user may not read the token
   */
  static async find(dataFolder: string): Promise<AdminClient> {
    const token = await readToken(join(dataFolder, 'admin.token'));
    const file = await readGatewayFile(dataFolder);
    const address = parseAddress(file?.admin ?? '');
    if (address === undefined || token === undefined) throw notRunning(dataFolder);
    return new AdminClient(reachable(address), token, dataFolder, file?.adminFingerprint ?? null);
  }

  /**
   * One request with a JSON answer, which is bounded; the signal breaks it off.
   * @throws OperatingError `gateway-not-running`, `gateway-refused` with the gateway's own words, `gateway-unreachable`
   */
  async json(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const response = await this.#send(method, path, body, signal);
    const text = await textOf(response);
    const answer = parsed(text);
    if (answer === undefined) throw unreachable('its answer is not JSON');
    if ((response.statusCode ?? 0) >= 400) throw refusal(response.statusCode, answer);
    return answer;
  }

  /**
   * The lines of a streamed answer as they come, until the gateway ends it or `signal` is aborted.
   * @throws OperatingError as {@link json}; `gateway-unreachable` if the stream breaks off
   */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    let response: IncomingMessage | undefined;
    try {
      response = await this.#send('GET', path, undefined, signal);
      if ((response.statusCode ?? 0) >= 400)
        throw refusal(response.statusCode, parsed(await textOf(response)));
      const splitter = new LineSplitter(limits.adminAnswerBytesMax);
      for await (const chunk of response) yield* splitter.push(chunk);
      yield* splitter.end();
    } catch (error) {
      if (signal.aborted) return;
      throw isOperatingError(error) ? error : unreachable(messageOf(error), error);
    } finally {
      response?.destroy();
    }
  }

  async #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
    const timeout = AbortSignal.timeout(limits.adminAnswerTimeoutMs);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (payload !== undefined) headers['content-type'] = 'application/json';
    const socket = this.#fingerprint === null ? undefined : await this.#secured(this.#fingerprint, timeout);
    return await new Promise((resolve, reject) => {
      const { host, port } = this.#address;
      const outgoing = request({
        host,
        port,
        method,
        path,
        headers,
        ...(signal && { signal }),
        ...(socket && { createConnection: () => socket }),
      });
      const giveUp = () => outgoing.destroy(tooSlow());
      timeout.addEventListener('abort', giveUp);
      outgoing.once('response', (response) => {
        timeout.removeEventListener('abort', giveUp);
        resolve(response);
      });
      outgoing.on('error', (error) => {
        timeout.removeEventListener('abort', giveUp);
        reject(this.#unanswered(error));
      });
      outgoing.end(payload);
    });
  }

  /** A connection to the gateway that shows the certificate which its data folder names: nobody else is given the token. */
  #secured(fingerprint: string, timeout: AbortSignal): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const { host, port } = this.#address;
      // Whoever signed it, and for whichever name: it is known.
      const socket = connect({ host, port, rejectUnauthorized: false });
      const giveUp = () => socket.destroy(tooSlow());
      timeout.addEventListener('abort', giveUp);
      const fail = (error: Error) => {
        timeout.removeEventListener('abort', giveUp);
        reject(this.#unanswered(error));
      };
      socket.once('error', fail);
      socket.once('secureConnect', () => {
        timeout.removeEventListener('abort', giveUp);
        socket.off('error', fail);
        const shown = socket.getPeerX509Certificate()?.fingerprint256;
        if (shown === fingerprint) return resolve(socket);
        socket.destroy();
        reject(unreachable(`at its address somebody shows another certificate (SHA-256 ${shown ?? 'none'})`));
      });
    });
  }

  #unanswered(error: Error): OperatingError {
    const isGone = 'code' in error && error.code === 'ECONNREFUSED';
    return isGone ? notRunning(this.#dataFolder, error) : unreachable(messageOf(error), error);
  }
}

/** Where a gateway is found that listens at all addresses. */
const reachable = ({ host, port }: Address): Address => ({
  host: isAnywhere(host) ? (host === '::' ? '::1' : '127.0.0.1') : host,
  port,
});

const tooSlow = (): Error => new Error(`no answer within ${limits.adminAnswerTimeoutMs} ms`);

async function readToken(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const advice = 'run this command as the user who runs the gateway';
    throw unreachable(`${path} cannot be read (${messageOf(error)}); ${advice}`, error);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > limits.adminAnswerBytesMax)
        throw new Error(`its answer is longer than ${limits.adminAnswerBytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(messageOf(error), error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The object in a JSON text; undefined if there is none. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function notRunning(dataFolder: string, cause?: unknown): OperatingError {
  const message =
    `no gateway is running on the data folder ${dataFolder}\n` +
    'start it with: headwater run (from a checkout: npm start)\n' +
    'if it uses another data folder, give this command the same --config or --set data.dir=… as the gateway';
  return new OperatingError('gateway-not-running', message, { cause });
}

function unreachable(what: string, cause?: unknown): OperatingError {
  return new OperatingError('gateway-unreachable', `the gateway cannot be talked to: ${what}`, { cause });
}

function refusal(status: number | undefined, answer: object | undefined): OperatingError {
  const { error } = (answer ?? {}) as { error?: { code?: unknown; message?: unknown } };
  const message =
    typeof error?.message === 'string' ? error.message : `HTTP status ${status}, without a reason`;
  return new OperatingError(error?.code === 'bad-configuration' ? error.code : 'gateway-refused', message);
}
