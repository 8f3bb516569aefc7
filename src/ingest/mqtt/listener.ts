import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { type Address, listen } from './listen.ts';
import type { Peer } from './peer.ts';
import { certificateNameOf, type HandshakeFailure, type ServerTls, tlsServer } from './server-tls.ts';
import { webSocketServer } from './websocket-server.ts';
import { WebSocketStream } from './websocket-stream.ts';

/** The kinds of listeners, by the schemes of their URLs. */
export type ListenerKind = 'mqtt' | 'mqtts' | 'ws' | 'wss';

export interface ListenerOptions {
  readonly kind: ListenerKind;
  /** Port 0 lets the system choose. */
  readonly listen: Address;
  /** The setting that says where, for messages. */
  readonly setting: string;
  /** Null where there is none. */
  readonly tls: ServerTls | null;
}

/** What becomes of connections. */
export interface ListenerEvents {
  /** Whether there is room for one more. */
  hasRoom(): boolean;
  /** One speaks MQTT from here on. */
  onConnection(stream: Duplex, peer: Peer): void;
  /** One is closed before MQTT began. */
  onFailed(failure: HandshakeFailure, address: string): void;
}

/** A connection, from its first packet on. */
interface Arrival {
  readonly socket: Socket;
  /** What the next handshake, or MQTT, is spoken on. */
  stream: Duplex;
  certificateName: string | null;
  readonly host: string;
  readonly address: string;
  /** How long it has been at the handshakes that come before MQTT. */
  elapsedMs: number;
  /** `failed`: told and counted, and closed as soon as the client does so. */
  state: 'handshaking' | 'failed' | 'handed-over';
}

/** One port where clients connect: bounds connections and the time of what comes before MQTT. */
export class Listener {
  readonly kind: ListenerKind;
  readonly #options: ListenerOptions;
  readonly #events: ListenerEvents;
  readonly #server: Server;
  /** Why handshakes failed whose sockets could not say whose they were any more: of those that are about to be closed. */
  readonly #unclaimed: HandshakeFailure[] = [];
  readonly #arrivals = new Map<string, Arrival>();
  readonly #begin: (arrival: Arrival) => void;
  #address: Address;

  /** Listens from {@link open} on. */
  constructor(options: ListenerOptions, events: ListenerEvents) {
    this.kind = options.kind;
    this.#options = options;
    this.#events = events;
    this.#address = options.listen;
    this.#server = createServer({
      noDelay: true,
      // It is read when the guard asks for more, and no sooner: a client that has to wait costs one chunk.
      highWaterMark: 0,
      keepAlive: true,
      keepAliveInitialDelay: limits.mqttTcpKeepAliveMs,
      // A device that has sent all and closed its side still gets its acknowledgements; but handshakes would wait for who went away.
      allowHalfOpen: options.kind === 'mqtt',
    });
    this.#begin = this.#handshakes();
  }

  /** @throws OperatingError `port-unusable` */
  async open(logger: Logger): Promise<void> {
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#address = await listen(this.#server, this.#options.listen, this.#options.setting);
    this.#server.on('error', (error) => {
      const fields = { error: error.message, listener: this.kind };
      logger.error(
        fields,
        'the MQTT port has a problem, and clients may not get through; if it lasts, end other programs or let this one open more files',
      );
    });
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /** Connections, those included that do not speak MQTT yet. */
  get connections(): number {
    return this.#arrivals.size;
  }

  /** Time has passed: cuts those that are late. */
  sweep(elapsedMs: number): void {
    this.#unclaimed.length = 0;
    for (const arrival of this.#arrivals.values()) {
      if (arrival.state === 'handed-over') continue;
      arrival.elapsedMs += elapsedMs;
      if (arrival.elapsedMs < limits.mqttHandshakeTimeoutMs) continue;
      this.#fail(arrival, {
        reason: 'handshake-timeout',
        message: `what comes before MQTT was not completed in time; is it a client for ${this.kind}://?`,
      });
    }
  }

  /** Takes no more connections, and cuts those that do not speak MQTT yet. Resolves once all are closed. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const arrival of this.#arrivals.values()) {
      if (arrival.state === 'handed-over') continue;
      arrival.state = 'failed';
      arrival.socket.destroy();
    }
    return closed;
  }

  #accept(socket: Socket): void {
    const host = socket.remoteAddress ?? '';
    const arrival: Arrival = {
      socket,
      stream: socket,
      certificateName: null,
      host,
      address: `${host}:${socket.remotePort}`,
      elapsedMs: 0,
      state: 'handshaking',
    };
    if (!this.#events.hasRoom()) {
      const message = 'as many clients as mqtt.limits.connections allows are connected already';
      this.#fail(arrival, { reason: 'too-many-connections', message });
      return;
    }
    const key = keyOf(socket);
    this.#arrivals.set(key, arrival);
    socket.on('close', () => {
      if (this.#arrivals.get(key) === arrival) this.#arrivals.delete(key);
      this.#fail(arrival, this.#unclaimed.shift() ?? aborted);
    });
    // Whoever has it meanwhile, an error of the network is no error of ours.
    socket.on('error', () => socket.destroy());
    this.#begin(arrival);
  }

  /** What comes before MQTT on this listener. */
  #handshakes(): (arrival: Arrival) => void {
    const { kind, tls } = this.#options;
    const isWebSocket = kind === 'ws' || kind === 'wss';
    const secured = isWebSocket ? this.#upgrading() : (arrival: Arrival) => this.#handOver(arrival, null);
    return tls === null ? secured : this.#securing(tls, secured);
  }

  #securing(tls: ServerTls, onSecured: (arrival: Arrival) => void): (arrival: Arrival) => void {
    const server = tlsServer({
      tls,
      onSecured: (socket) => {
        const arrival = this.#arrivals.get(keyOf(socket));
        const certified = certificateNameOf(socket, tls.clientCertificates);
        if (arrival === undefined) socket.destroy();
        else if ('reason' in certified) this.#fail(arrival, certified);
        else {
          arrival.stream = socket;
          arrival.certificateName = certified.name;
          onSecured(arrival);
        }
      },
      onFailed: (socket, failure) => {
        const arrival = this.#arrivals.get(keyOf(socket));
        if (arrival !== undefined) this.#fail(arrival, failure);
        // `tls` says no more than that it is gone.
        else if (failure.reason !== 'tls') this.#unclaimed.push(failure);
      },
    });
    return (arrival) => {
      if (tls.credentials !== null) server.emit('connection', arrival.socket);
      else this.#fail(arrival, { reason: 'tls', message: noCertificateMessage });
    };
  }

  #upgrading(): (arrival: Arrival) => void {
    const arrivals = new WeakMap<Duplex, Arrival>();
    const server = webSocketServer({
      onUpgraded: (socket, origin) => {
        const arrival = arrivals.get(socket);
        if (arrival === undefined) return void socket.destroy();
        socket.allowHalfOpen = true;
        arrival.stream = new WebSocketStream(socket, (message) =>
          this.#events.onFailed({ reason: 'websocket', message }, arrival.address),
        );
        this.#handOver(arrival, origin);
      },
      onFailed: (socket, message) => {
        const arrival = arrivals.get(socket);
        if (arrival !== undefined) this.#tell(arrival, { reason: 'websocket', message });
      },
    });
    return (arrival) => {
      arrivals.set(arrival.stream, arrival);
      server.emit('connection', arrival.stream);
    };
  }

  #handOver(arrival: Arrival, origin: string | null): void {
    if (arrival.state !== 'handshaking' || arrival.socket.destroyed) return;
    arrival.state = 'handed-over';
    const { stream, host, address, certificateName } = arrival;
    stream.allowHalfOpen = true;
    this.#events.onConnection(stream, { host, address, certificateName, origin });
  }

  #fail(arrival: Arrival, failure: HandshakeFailure): void {
    this.#tell(arrival, failure);
    if (arrival.state === 'failed') arrival.socket.destroy();
  }

  #tell(arrival: Arrival, failure: HandshakeFailure): void {
    if (arrival.state !== 'handshaking') return;
    arrival.state = 'failed';
    this.#events.onFailed(failure, arrival.address);
  }
}

/** The same for a socket and for TLS upon it. */
const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

const noCertificateMessage =
  'there is no certificate that can be used; headwater status says what is wrong with it';

const aborted: HandshakeFailure = {
  reason: 'handshake-aborted',
  message:
    'it went away before the handshake was done; by TLS, a client does so that does not trust the certificate (headwater certificate shows it)',
};
