import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { ReadAccess } from './cluster-access.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import { KafkaConnection, type Traffic } from './kafka-connection.ts';
import { LinkError, type LinkTrouble } from './link-trouble.ts';

const defaultPort = 9092;

export interface BrokerPoolOptions {
  /** `host:port` of the brokers to begin with. */
  readonly brokers: readonly string[];
  readonly readAccess: ReadAccess;
  readonly clock: Clock;
}

interface Pooled {
  readonly connection: KafkaConnection;
  /** Monotonic; from then on another connection, with a new login, takes its place. */
  renewAtMs: number;
}

/** Connections to brokers by address, made when first needed and made again after they were lost. */
export class BrokerPool {
  readonly #options: BrokerPoolOptions;
  readonly #connections = new Map<string, Pooled>();
  #isClosed = false;
  /** Where the next search begins: behind the broker that was found last, which may be one that takes connections and no more. */
  #nextBroker = 0;
  /** Of connections that are gone. */
  #trafficBefore: Traffic = { bytesRead: 0, bytesWritten: 0 };

  constructor(options: BrokerPoolOptions) {
    this.#options = options;
  }

  /** Allows connections again after {@link close}. */
  reopen(): void {
    this.#isClosed = false;
  }

  /** Cuts everything; whoever waits for a connection or an answer gets a LinkError. */
  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#connections.values()) {
      connection.close();
      this.#trafficBefore = sumOf(this.#trafficBefore, connection.traffic);
    }
    this.#connections.clear();
  }

  /** What has gone through the sockets of all connections so far. */
  get traffic(): Traffic {
    return this.#connections
      .values()
      .reduce((sum, { connection }) => sumOf(sum, connection.traffic), this.#trafficBefore);
  }

  /** A connection to any broker: one that is there, else the next of the configured ones that can be reached. */
  async any(): Promise<KafkaConnection> {
    for (const pooled of this.#connections.values()) if (this.#isUsable(pooled)) return pooled.connection;
    const failures: LinkError[] = [];
    const { brokers } = this.#options;
    for (let tried = 0; tried < brokers.length; tried += 1) {
      const broker = brokers[this.#nextBroker] ?? '';
      this.#nextBroker = (this.#nextBroker + 1) % brokers.length;
      try {
        return await this.to(parseAddress(broker));
      } catch (error) {
        if (!(error instanceof LinkError) || isSameElsewhere(error.trouble)) throw error;
        failures.push(error);
      }
    }
    const reasons = failures.map(({ message }) => message).join('; ');
    const isTold = failures.every(({ trouble }) => trouble === 'tls');
    const advice = isTold ? '' : '. Check the link and forwarder.brokers';
    const kept = `${advice}; records are kept here meanwhile`;
    throw new LinkError('', failures[0]?.trouble ?? 'refused', `no broker can be reached: ${reasons}${kept}`);
  }

  /**
   * Only while nobody waits for an answer from that broker, since a login that ends is renewed by a new connection.
   * @throws LinkError
   */
  async to(address: BrokerAddress): Promise<KafkaConnection> {
    if (this.#isClosed) throw closed();
    const name = `${address.host}:${address.port}`;
    const existing = this.#connections.get(name);
    if (existing !== undefined && this.#isUsable(existing)) return existing.connection;
    existing?.connection.close();
    const read = await this.#options.readAccess();
    if (!read.ok) throw new LinkError('', 'access', read.problems.join('; '));
    if (this.#isClosed) throw closed();
    const connection = new KafkaConnection(address, read.access);
    const pooled = { connection, renewAtMs: Number.POSITIVE_INFINITY };
    const replaced = this.#connections.get(name);
    if (replaced !== undefined) this.#trafficBefore = sumOf(this.#trafficBefore, replaced.connection.traffic);
    this.#connections.set(name, pooled);
    await connection.connect();
    if (connection.sessionMs > 0)
      pooled.renewAtMs = this.#options.clock.monotonicMs() + usableMs(connection.sessionMs);
    return connection;
  }

  /**
   * A broker that the cluster named; any broker if the cluster did not name one. To be called as {@link to}.
   * @throws LinkError
   */
  async toNamed(address: BrokerAddress | undefined): Promise<KafkaConnection> {
    if (address === undefined) return this.any();
    try {
      return await this.to(address);
    } catch (error) {
      if (!(error instanceof LinkError) || knowsWhatToDo(error)) throw error;
      const reason =
        `the cluster names ${address.host}:${address.port} as one of its brokers, but it cannot be reached from ` +
        `here: ${error.message}. If it stays so, check advertised.listeners of that broker`;
      throw new LinkError('', error.trouble, reason, { cause: error });
    }
  }

  #isUsable({ connection, renewAtMs }: Pooled): boolean {
    return connection.isConnected && this.#options.clock.monotonicMs() < renewAtMs;
  }
}

/** What is refused with these credentials, or wrong with our own files, is not asked of every broker in turn. */
const isSameElsewhere = (trouble: LinkTrouble): boolean => trouble === 'login' || trouble === 'access';

/** Where the reason says already what is to be changed. */
const knowsWhatToDo = ({ trouble }: LinkError): boolean => ['tls', 'login', 'access'].includes(trouble);

const sumOf = (one: Traffic, other: Traffic): Traffic => ({
  bytesRead: one.bytesRead + other.bytesRead,
  bytesWritten: one.bytesWritten + other.bytesWritten,
});

const usableMs = (sessionMs: number): number => (sessionMs * limits.loginSessionUsedPercentMax) / 100;

const closed = (): LinkError => new LinkError('', 'closed', 'the connections were closed');

/** `host:port`, `host`, `[::1]:port`. */
function parseAddress(broker: string): BrokerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(broker);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) {
    const reason = `"${broker}" is not an address of the form host:port, see forwarder.brokers`;
    throw new LinkError('', 'unknown-host', reason);
  }
  return { host, port: Number(match?.[3] ?? defaultPort) };
}
