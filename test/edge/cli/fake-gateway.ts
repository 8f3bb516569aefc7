import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { runCommandLine } from '../../../src/edge/cli/program.ts';
import type { StartGateway } from '../../../src/edge/cli/run.ts';
import { Output, type Terminal } from '../../../src/edge/cli/terminal.ts';
import type { Machine } from '../../../src/edge/machine.ts';

export type Answer = (request: { url: URL; method: string; body: string }, response: ServerResponse) => void;

/** A data folder with the files of a running gateway, and an HTTP server that answers as the test says. */
export class FakeGateway {
  readonly folder: string;
  readonly token = 'secret';
  readonly requests: { method: string; path: string; body: string }[] = [];
  answer: Answer = (_, response) =>
    json(response, 404, { error: { code: 'not-found', message: 'no answer set' } });
  readonly #server: Server;

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<FakeGateway> {
    const gateway = new FakeGateway(await mkdtemp(join(tmpdir(), 'headwater-cli-')));
    await new Promise<void>((resolve) => gateway.#server.listen(0, '127.0.0.1', resolve));
    await gateway.writeFiles();
    return gateway;
  }

  async writeFiles(): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const content = { pid: 1, version: '0.1.0', mqtt: '127.0.0.1:1', admin: `127.0.0.1:${port}` };
    await writeFile(join(this.folder, 'gateway.json'), JSON.stringify(content));
    await writeFile(join(this.folder, 'admin.token'), `${this.token}\n`, { mode: 0o600 });
  }

  /** Stops listening, as a crash does: its files stay. */
  async crash(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async remove(): Promise<void> {
    await this.crash();
    await rm(this.folder, { recursive: true });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const { method = '', url: path = '' } = request;
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      json(response, 401, { error: { code: 'unauthorized', message: 'wrong token' } });
      return;
    }
    this.requests.push({ method, path, body });
    this.answer({ url: new URL(path, 'http://gateway'), method, body }, response);
  }
}

export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export interface Session {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export interface SessionOptions {
  readonly input?: string | Uint8Array | Readable;
  readonly output?: Writable;
  readonly workingDirectory?: string;
  readonly isInteractive?: boolean;
  readonly startGateway?: StartGateway;
  /** Is given what sends the process a stop signal. */
  readonly onSignals?: (signal: () => void) => void;
  /** Is given what sends the process SIGHUP. */
  readonly onReloads?: (signal: () => void) => void;
  readonly exitNow?: (code: number) => void;
  readonly machine?: Pick<Machine, 'serialDevices' | 'openPort'>;
}

/** Runs a command line as a process would, and says how it ended and what it printed. */
export async function session(
  commandLine: readonly string[],
  options: SessionOptions = {},
): Promise<Session> {
  const output = options.output ?? new PassThrough();
  const printed = collect(output);
  const errors = new PassThrough();
  const complained = collect(errors);
  const { input = '' } = options;
  const terminal: Terminal = {
    input: input instanceof Readable ? input : Readable.from([Buffer.from(input)], { objectMode: false }),
    output: new Output(output),
    errors: new Output(errors),
    isInteractive: options.isInteractive ?? false,
    workingDirectory: options.workingDirectory ?? tmpdir(),
    hostName: 'gw1',
    configVariable: undefined,
    onStopSignal: (listener) => {
      options.onSignals?.(listener);
      return () => undefined;
    },
    onReloadSignal: (listener) => {
      options.onReloads?.(listener);
      return () => undefined;
    },
    exitNow: (code) => options.exitNow?.(code),
  };
  const startGateway: StartGateway =
    options.startGateway ?? (() => Promise.reject(new Error('this test starts no gateway')));
  const machine = options.machine ?? {
    serialDevices: () => Promise.resolve([]),
    openPort: () => Promise.reject(new Error('this test opens no port')),
  };
  const code = await runCommandLine(commandLine, { version: '0.1.0', startGateway, machine }, terminal);
  return { code, output: printed(), errors: complained() };
}

function collect(stream: Writable): () => string {
  const chunks: Buffer[] = [];
  if (stream instanceof PassThrough) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => {
    if (stream instanceof PassThrough)
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
}
