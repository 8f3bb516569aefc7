import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { type RunningGateway, within } from '../support/gateway-process.ts';
import { answersIn, wrongAnswers } from './http-judge.ts';
import { type FuzzedConnection, fuzzedConnection, operationsOf, type Target } from './http-requests.ts';

/** What is open at once; the gateway takes more. */
const CONNECTIONS_MAX = 48;
/** How long a client waits for its answers: some streams never end. */
const PATIENCE_MS = 400;
const CONNECTIONS_PER_MESSAGE = 200;
const ACKNOWLEDGED_MS_MAX = 10_000;

export interface HttpFuzzTotals {
  readonly requests: number;
  readonly connections: number;
  /** MQTT messages of QoS 1 that were acknowledged meanwhile. */
  readonly messages: number;
  readonly slowestMessageMs: number;
  /** By their status, with and without the token. */
  readonly withToken: Readonly<Record<string, number>>;
  readonly without: Readonly<Record<string, number>>;
  /** The most that the gateway held. */
  readonly rssMb: number;
  readonly wrong: readonly string[];
}

/** Sends at least `requests` requests to a gateway, until something is wrong. */
export async function fuzzHttp(
  gateway: RunningGateway,
  seed: number,
  requests: number,
): Promise<HttpFuzzTotals> {
  const description: unknown = await (await gateway.api('/api/openapi.json')).json();
  const port = Number(gateway.admin.split(':')[1]);
  const target = { operations: operationsOf(description), port, token: gateway.token };
  // Once a request has made a user, nobody is let in without one; no request names this one.
  const user = { name: 'undisturbed', password: 'of the undisturbed client' };
  const headers = { 'content-type': 'application/json' };
  const made = await gateway.api('/api/users', { method: 'POST', headers, body: JSON.stringify(user) });
  if (!made.ok) throw new Error(`the user of the undisturbed client was not made: ${await made.text()}`);
  const login = { username: user.name, password: user.password };
  const mqtt = await connectAsync(`mqtt://${gateway.mqtt}`, { clientId: user.name, ...login });
  try {
    return await new HttpFuzz(gateway, seed, target, mqtt).run(requests);
  } finally {
    mqtt.end(true);
  }
}

class HttpFuzz {
  readonly #gateway: RunningGateway;
  readonly #seed: number;
  readonly #target: Target;
  readonly #mqtt: MqttClient;
  readonly #wrong: string[] = [];
  readonly #statuses = { withToken: {}, without: {} } as Record<
    'withToken' | 'without',
    Record<string, number>
  >;
  #requests = 0;
  #connections = 0;
  #messages = 0;
  #slowestMessageMs = 0;

  constructor(gateway: RunningGateway, seed: number, target: Target, mqtt: MqttClient) {
    this.#gateway = gateway;
    this.#seed = seed;
    this.#target = target;
    this.#mqtt = mqtt;
  }

  async run(requests: number): Promise<HttpFuzzTotals> {
    let isOver = false;
    const ended = this.#gateway.exited.then(({ code, signal }) => {
      if (!isOver) this.#wrong.push(`the gateway ended by ${code ?? signal}: ${this.#gateway.stderr()}`);
    });
    const client = async (): Promise<void> => {
      while (this.#requests < requests && this.#wrong.length === 0) await this.#next();
    };
    await Promise.race([ended, Promise.all(Array.from({ length: CONNECTIONS_MAX }, client))]);
    if (this.#wrong.length === 0) await this.#publish();
    const isServed = Object.keys(this.#statuses.withToken).some((status) => status.startsWith('2'));
    if (!isServed && this.#wrong.length === 0)
      this.#wrong.push('no request with the token was served, so nothing was tried');
    isOver = true;
    return {
      requests: this.#requests,
      connections: this.#connections,
      messages: this.#messages,
      slowestMessageMs: Math.round(this.#slowestMessageMs),
      ...this.#statuses,
      rssMb: await mostRssMb(this.#gateway.pid),
      wrong: this.#wrong,
    };
  }

  async #next(): Promise<void> {
    const number = this.#connections;
    const connection = fuzzedConnection(this.#seed, number, this.#target);
    this.#connections += 1;
    this.#requests += connection.requests;
    const answers = answersIn(await exchange(this.#target.port, connection));
    const counts = this.#statuses[connection.hasToken ? 'withToken' : 'without'];
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    const sent = Buffer.concat(connection.pieces).toString('latin1');
    const shown = JSON.stringify(sent.slice(0, 1000));
    for (const text of wrongAnswers(connection.hasToken, sent, answers))
      this.#wrong.push(
        `connection ${number}: ${text}\n  sent: ${shown.replaceAll(this.#target.token, 'TOKEN')}`,
      );
    if (number % CONNECTIONS_PER_MESSAGE === 0) await this.#publish();
  }

  async #publish(): Promise<void> {
    const startedMs = performance.now();
    const published = this.#mqtt.publishAsync('undisturbed/value', `${this.#messages}`, { qos: 1 });
    const isDone = await within(
      ACKNOWLEDGED_MS_MAX,
      published.then(
        () => true,
        () => undefined,
      ),
    );
    this.#slowestMessageMs = Math.max(this.#slowestMessageMs, performance.now() - startedMs);
    if (isDone === undefined) this.#wrong.push(`MQTT message ${this.#messages} was not acknowledged`);
    else this.#messages += 1;
  }
}

/** What comes back until the gateway closes, all requests are answered, or the patience ends. */
function exchange(port: number, connection: FuzzedConnection): Promise<string> {
  const { localAddress, pieces, isCut, requests } = connection;
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    let received = '';
    socket.setEncoding('latin1');
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      received += text;
      if (requests > 1 && answersIn(received).length > requests) socket.destroy();
    });
    socket.once('close', () => {
      clearTimeout(patience);
      resolve(received);
    });
    socket.once('connect', () => {
      for (const piece of pieces) socket.write(piece);
      if (isCut) socket.destroySoon();
    });
  });
}

async function mostRssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
}
