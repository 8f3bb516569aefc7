/** Which port, and how fast it speaks. 8 data bits, no parity, 1 stop bit. */
export interface PortSettings {
  /** A device file, best one below `/dev/serial/by-id`: that name stays when adapters are plugged in another order. */
  readonly path: string;
  /** Bits per second. */
  readonly baud: number;
}

/** Who is told what happens to an open port. Nothing is called before `OpenPort` has resolved, or after `close`. */
export interface PortListener {
  /** At most `limits.serialReadBytesMax` bytes, valid during the call only. */
  received(chunk: Uint8Array): void;
  /** The port is gone, for the reason in words. Told once; nothing follows. */
  lost(reason: string): void;
}

/** An open serial port. It is read all the time but while it is paused: a port that nobody reads does not notice its end. */
export interface Port {
  pause(): void;
  resume(): void;
  /** Closes it, if it still is open; never rejects. */
  close(): Promise<void>;
}

/**
 * Opens a port and starts to read.
 * @throws OperatingError `port-unusable`, saying what to do
 */
export type OpenPort = (settings: PortSettings, listener: PortListener) => Promise<Port>;
