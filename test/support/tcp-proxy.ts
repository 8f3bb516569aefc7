import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../kafka/ports.ts';

/** What the proxy itself holds by default, all connections together; the sockets' own buffers come on top. */
export const BUFFERED_BYTES_MAX = 64 * 1024;
/** Small, so that what waits, waits at its sender and not in the sockets of the proxy. */
const SOCKET_BUFFER_BYTES = 16 * 1024;
/** One turn of one connection while the link is throttled. */
const TURN_BYTES_MAX = 2 * 1024;
/** An idle link saves up no more than this for a burst. */
const BURST_MS = 10;

const socketOptions = { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES };

export interface ProxyOptions {
  /** `host:port` of whom the clients mean. */
  readonly target: string;
  /** What it holds at most, instead of {@link BUFFERED_BYTES_MAX}: a long, fast link has more on its way. */
  readonly bufferedBytesMax?: number;
  /** Whether all connections share one queue, as in a plain router; else each has its turn. */
  readonly isOneQueue?: boolean;
}

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** One direction of one connection. */
interface Flow {
  readonly source: Socket;
  readonly sink: Socket;
  readonly direction: 'toTarget' | 'toClient';
  readonly pieces: Piece[];
  heldBytes: number;
  /** When the end of the source is due; null while it has not ended. */
  endDueMs: number | null;
  isEnded: boolean;
}

interface Link {
  /** The direction whose turn is next stands first. */
  readonly flows: Flow[];
  isBroken: boolean;
}

/** Starts a proxy on a free port of 127.0.0.1: at first a perfect link. */
export async function startProxy(options: ProxyOptions): Promise<TcpProxy> {
  const [port = 0] = await freePorts(1);
  const proxy = new TcpProxy(options, port);
  await proxy.accept();
  return proxy;
}

/** A network link that a test can spoil, and mend again. What it did to a byte it does to all, in order. */
export class TcpProxy implements AsyncDisposable {
  readonly address: string;
  /** Bytes handed on so far. */
  readonly bytes = { toTarget: 0, toClient: 0 };
  /** The most that was ever held. */
  heldBytesPeak = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #port: number;
  readonly #bufferedBytesMax: number;
  readonly #isOneQueue: boolean;
  readonly #links: Link[] = [];
  #server: Server | null = null;
  #heldBytes = 0;
  #delayMs = 0;
  #bytesPerSecond: number | null = null;
  #tokens = 0;
  #refilledMs = performance.now();
  #isBlackHole = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    { target, bufferedBytesMax = BUFFERED_BYTES_MAX, isOneQueue = false }: ProxyOptions,
    port: number,
  ) {
    this.#bufferedBytesMax = bufferedBytesMax;
    this.#isOneQueue = isOneQueue;
    const colon = target.lastIndexOf(':');
    this.#target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#links.length;
  }

  /** Resets every connection on both sides; new ones are accepted. */
  cut(): void {
    for (const link of [...this.#links]) this.#remove(link);
  }

  /** Nothing listens any more; connections that are there stay. */
  refuse(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Takes {@link refuse} back; resolves when it listens, on the same port. */
  async accept(): Promise<void> {
    if (this.#server !== null) return;
    this.#server = createServer(socketOptions, (client) => this.#join(client));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Each byte from now on arrives so much later, in both directions. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** All connections and both directions share so much; null lifts the limit. */
  throttle(bytesPerSecond: number | null): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = 0;
    this.#refilledMs = performance.now();
    this.#pump();
  }

  /** Connections stay and are made, but nothing arrives any more, not even that a side has closed. */
  blackHole(): void {
    this.#isBlackHole = true;
  }

  /** Takes {@link blackHole} back: what was held and what waits in the sockets goes on. */
  heal(): void {
    this.#isBlackHole = false;
    for (const { flows } of [...this.#links]) for (const flow of flows) this.#read(flow);
    this.#pump();
  }

  /** Ends everything. May be called twice. */
  close(): void {
    this.refuse();
    this.cut();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #join(client: Socket): void {
    const target = connect({ ...this.#target, ...socketOptions });
    const link: Link = {
      flows: [flowBetween(client, target, 'toTarget'), flowBetween(target, client, 'toClient')],
      isBroken: false,
    };
    this.#links.push(link);
    for (const flow of link.flows) {
      const { source, sink } = flow;
      source.on('readable', () => this.#read(flow));
      source.on('end', () => {
        flow.endDueMs = performance.now() + this.#delayMs;
        this.#pump();
      });
      source.on('error', () => {
        link.isBroken = true;
        this.#pump();
      });
      sink.on('drain', () => this.#pump());
    }
  }

  /** Takes what the source has, within this flow's fair part of the buffer. What is not taken holds up its sender. */
  #read(flow: Flow): void {
    // A socket that was reset still gives what it had read.
    if (this.#isBlackHole || flow.isEnded) return;
    const flowBytesMax = Math.max(1, Math.floor(this.#bufferedBytesMax / (this.#links.length * 2)));
    for (;;) {
      const room = Math.min(flowBytesMax - flow.heldBytes, this.#bufferedBytesMax - this.#heldBytes);
      if (room <= 0) break;
      // With nothing there a read of nothing still makes the stream notice its end.
      const bytes: Buffer | null = flow.source.read(Math.min(room, flow.source.readableLength));
      if (bytes === null) break;
      flow.pieces.push({ bytes, dueMs: performance.now() + this.#delayMs });
      this.#hold(flow, bytes.length);
    }
    this.#pump();
  }

  #hold(flow: Flow, bytes: number): void {
    flow.heldBytes += bytes;
    this.#heldBytes += bytes;
    this.heldBytesPeak = Math.max(this.heldBytesPeak, this.#heldBytes);
  }

  /** Hands on whatever may go now, one turn of each connection after the other, and comes back when more may go. */
  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isBlackHole) return;
    for (const link of this.#links.filter(({ isBroken }) => isBroken)) this.#remove(link);
    for (;;) {
      const nowMs = performance.now();
      this.#refill(nowMs);
      const link = this.#next(nowMs);
      const [flow] = readyFlows(link, nowMs);
      if (link === undefined || flow === undefined) {
        this.#comeBackWhenDue(nowMs);
        break;
      }
      const missing = this.#turnBytes(flow) - this.#tokens;
      if (missing > 0) {
        this.#comeBackIn((missing / (this.#bytesPerSecond ?? missing)) * 1000);
        break;
      }
      this.#turn(flow);
      moveToEnd(link.flows, flow);
      moveToEnd(this.#links, link);
      if (link.flows.every(({ isEnded }) => isEnded)) this.#links.splice(this.#links.indexOf(link), 1);
    }
  }

  /** The connection whose turn it is: the one that waits longest, or the one whose next piece came first. */
  #next(nowMs: number): Link | undefined {
    const ready = this.#links.filter((link) => readyFlows(link, nowMs).length > 0);
    if (!this.#isOneQueue) return ready[0];
    const cameMs = (link: Link): number => dueMs(readyFlows(link, nowMs)[0]) ?? 0;
    return ready.toSorted((one, other) => cameMs(one) - cameMs(other))[0];
  }

  /** Turns smaller than they need be would cost more than they carry. */
  #turnBytes({ pieces: [piece] }: Flow): number {
    const whole = piece?.bytes.length ?? 0;
    return this.#bytesPerSecond === null ? whole : Math.min(whole, TURN_BYTES_MAX, this.#burstBytes());
  }

  #burstBytes(): number {
    return Math.max(1, Math.floor(((this.#bytesPerSecond ?? 0) * BURST_MS) / 1000));
  }

  #turn(flow: Flow): void {
    const [piece] = flow.pieces;
    if (piece === undefined) {
      flow.isEnded = true;
      flow.sink.end();
      return;
    }
    const sent = piece.bytes.subarray(0, this.#turnBytes(flow));
    const rest = piece.bytes.subarray(sent.length);
    if (rest.length === 0) flow.pieces.shift();
    else flow.pieces[0] = { bytes: rest, dueMs: piece.dueMs };
    this.#tokens -= sent.length;
    this.bytes[flow.direction] += sent.length;
    this.#hold(flow, -sent.length);
    flow.sink.write(sent);
    this.#readSoon(flow);
  }

  /** Not within the turn: a read pumps, and would take the others' turns. */
  #readSoon(flow: Flow): void {
    queueMicrotask(() => this.#read(flow));
  }

  #refill(nowMs: number): void {
    const rate = this.#bytesPerSecond;
    const gained = rate === null ? Number.POSITIVE_INFINITY : (rate * (nowMs - this.#refilledMs)) / 1000;
    this.#tokens = rate === null ? gained : Math.min(this.#burstBytes(), this.#tokens + gained);
    this.#refilledMs = nowMs;
  }

  #comeBackWhenDue(nowMs: number): void {
    const dues = this.#links.flatMap(({ flows }) => flows.map(dueMs)).filter((due) => due !== null);
    if (dues.length > 0) this.#comeBackIn(Math.min(...dues) - nowMs);
  }

  #comeBackIn(ms: number): void {
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, ms));
  }

  #remove(link: Link): void {
    const index = this.#links.indexOf(link);
    if (index >= 0) this.#links.splice(index, 1);
    for (const flow of link.flows) {
      this.#hold(flow, -flow.heldBytes);
      flow.pieces.length = 0;
      flow.isEnded = true;
      flow.source.resetAndDestroy();
    }
  }
}

function flowBetween(source: Socket, sink: Socket, direction: Flow['direction']): Flow {
  return { source, sink, direction, pieces: [], heldBytes: 0, endDueMs: null, isEnded: false };
}

/** When the next thing of a flow may be handed on; null if there is nothing or its sink is full. */
function dueMs(flow: Flow | undefined): number | null {
  if (flow === undefined) return null;
  const { pieces, endDueMs, isEnded, sink } = flow;
  if (isEnded || sink.writableNeedDrain) return null;
  return pieces[0]?.dueMs ?? endDueMs;
}

/** What may be handed on now; the direction whose turn is next at first. */
const readyFlows = (link: Link | undefined, nowMs: number): readonly Flow[] =>
  (link?.flows ?? []).filter((flow) => (dueMs(flow) ?? Number.POSITIVE_INFINITY) <= nowMs);

function moveToEnd<Item>(list: Item[], item: Item): void {
  const index = list.indexOf(item);
  if (index < 0) return;
  list.splice(index, 1);
  list.push(item);
}
