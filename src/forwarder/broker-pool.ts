import { messageOf } from '../core/errors.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { LinkError } from './link-trouble.ts';

const defaultPort = 9092;

/** Connections to brokers by address, made when first needed and made again after they were lost. */
export class BrokerPool {
  readonly #bootstrap: readonly string[];
  readonly #connections = new Map<string, KafkaConnection>();
  #isClosed = false;

  constructor(bootstrap: readonly string[]) {
    this.#bootstrap = bootstrap;
  }

  /** Allows connections again after {@link close}. */
  reopen(): void {
    this.#isClosed = false;
  }

  /** Cuts everything; whoever waits for a connection or an answer gets a LinkError. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  /** A connection to any broker: one that is there, else the first of the configured ones that can be reached. */
  async any(): Promise<KafkaConnection> {
    for (const connection of this.#connections.values()) if (connection.isConnected) return connection;
    const reasons: string[] = [];
    for (const broker of this.#bootstrap) {
      try {
        return await this.to(parseAddress(broker));
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    throw new LinkError(
      `no broker can be reached: ${reasons.join('; ')}. Check the link and forwarder.brokers; records are kept ` +
        'here meanwhile',
    );
  }

  /** @throws LinkError */
  async to(address: BrokerAddress): Promise<KafkaConnection> {
    if (this.#isClosed) throw new LinkError('the connections were closed');
    const name = `${address.host}:${address.port}`;
    const existing = this.#connections.get(name);
    if (existing?.isConnected) return existing;
    const connection = new KafkaConnection(address);
    this.#connections.set(name, connection);
    await connection.connect();
    return connection;
  }

  /** A broker that the cluster named; any broker if the cluster did not name one. @throws LinkError */
  async toNamed(address: BrokerAddress | undefined): Promise<KafkaConnection> {
    if (address === undefined) return this.any();
    try {
      return await this.to(address);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      throw new LinkError(
        `the cluster names ${address.host}:${address.port} as one of its brokers, but it cannot be reached from ` +
          `here: ${error.message}. If it stays so, check advertised.listeners of that broker`,
        { cause: error },
      );
    }
  }
}

/** `host:port`, `host`, `[::1]:port`. */
function parseAddress(broker: string): BrokerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(broker);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined)
    throw new LinkError(`"${broker}" is not an address of the form host:port, see forwarder.brokers`);
  return { host, port: Number(match?.[3] ?? defaultPort) };
}
