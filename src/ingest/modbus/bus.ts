import type { PlannedRead } from './read-plan.ts';

/** How a serial bus speaks (Modbus RTU: 8 data bits), or where a server is (Modbus TCP). */
export type BusSettings =
  | {
      readonly kind: 'rtu';
      /** A device file, best one below `/dev/serial/by-id`. */
      readonly path: string;
      /** Bits per second. */
      readonly baud: number;
      readonly parity: 'none' | 'even' | 'odd';
      readonly stopBits: 1 | 2;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

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
export type OpenBus = (settings: BusSettings, timeoutMs: number, signal: AbortSignal) => Promise<Bus>;

/** A bus as people write it: the path of its port, or host:port. */
export const busPlace = (settings: BusSettings): string =>
  settings.kind === 'rtu' ? settings.path : `${settings.host}:${settings.port}`;
