import { type PortWish, wishText } from '../wired/port-selection.ts';
import type { PlannedRead } from './read-plan.ts';

/** How a serial bus speaks (Modbus RTU: 8 data bits). */
interface RtuSettings {
  readonly kind: 'rtu';
  /** Bits per second. */
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** Where a server is (Modbus TCP). */
interface TcpSettings {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** A bus as it is configured. */
export type BusSettings = (RtuSettings & { readonly wish: PortWish }) | TcpSettings;

/** A bus that can be opened: of a serial one it is known where its port is now. */
export type LocatedBus = (RtuSettings & { readonly path: string }) | TcpSettings;

/** Why a request has no answer that counts. */
export type ReadProblem =
  /** The unit says what it will not do, by a code of Modbus. */
  | { readonly kind: 'exception'; readonly code: number }
  | { readonly kind: 'timeout' }
  /** What came is no answer to the request: noise, a wrong checksum. In words. */
  | { readonly kind: 'garbled'; readonly message: string };

/** What came of a request. */
export type Answer =
  /** What a unit has sent: registers of two bytes each, or bits from the lowest up. */
  | { readonly data: Uint8Array }
  | { readonly problem: ReadProblem }
  /** The bus itself is gone, for the reason in words; nothing more comes of it. */
  | { readonly lost: string };

/** What is asked, and of whom. */
export type ReadRequest = Pick<PlannedRead, 'kind' | 'address' | 'count'> & { readonly unit: number };

/** An open bus. It takes one request at a time: the next one after the answer. */
export interface Bus {
  /** Resolves within the timeout that the bus was opened with; never rejects. */
  read(request: ReadRequest): Promise<Answer>;
  /** Resolves with the reason, in words, when the bus has ended by itself and that was noticed. */
  readonly lost: Promise<string>;
  /** Closes it if it still is open, and ends a request as `lost`; never rejects. */
  close(): Promise<void>;
}

/**
 * Opens a bus. `timeoutMs` is what a unit has for its answer; the signal ends an attempt that takes long.
 * @throws OperatingError `port-unusable`, saying what to do
 */
export type OpenBus = (settings: LocatedBus, timeoutMs: number, signal: AbortSignal) => Promise<Bus>;

/** A bus as people write it: its port by path, pattern or USB numbers, or host:port. */
export function busPlace(settings: BusSettings | LocatedBus): string {
  if (settings.kind === 'tcp') return `${settings.host}:${settings.port}`;
  return 'path' in settings ? settings.path : wishText(settings.wish);
}
