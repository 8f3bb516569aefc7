/** How a port speaks. */
export interface PortSettings {
  /** Bits per second. */
  readonly baud: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
  /** How one side tells the other to wait: by the lines RTS and CTS, or by the bytes XON and XOFF, which are no data then. */
  readonly flow: 'none' | 'rtscts' | 'xonxoff';
  /** After bytes that have come, more are collected for so long at most, so that not each few of them cost a read of their own. */
  readonly readPauseMs: number;
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
  /**
   * Sends bytes, and resolves once the system has taken them: a device that holds its line back can make that take for ever,
   * and nothing may be received meanwhile. To be closed then.
   * @throws OperatingError `port-unusable`
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes it, if it still is open; never rejects. */
  close(): Promise<void>;
}

/**
 * Opens the port at a path and starts to read.
 * @throws OperatingError `port-unusable`, saying what to do
 */
export type OpenPort = (path: string, settings: PortSettings, listener: PortListener) => Promise<Port>;
