import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about serial ports. */
export const serialLimits = {
  // Ports
  serialPortsMax: 16,
  serialPortNameLengthMax: 63,
  serialBaudMin: 50,
  serialBaudMax: 4_000_000,
  /** One frame; what is longer is a dead letter of its first so many bytes. */
  serialFrameBytesMax: 64 * KIB,
  /** What is no frame is one dead letter if it is not longer than this, or than a frame of its port. */
  serialGarbledBytesMin: 256,
  /** What marks frames: their delimiter, header or tail. */
  serialMarkBytesMax: 8,
  /** A pause that ends a frame, by default and at most. */
  serialGapMsDefault: 100,
  serialGapMsMax: 60_000,
  /** What a port gives at a time. */
  serialReadBytesMax: 4 * KIB,
  /** What a waiting record costs in objects, besides its bytes. */
  serialRecordOverheadBytes: 512,
  /** Records of one port in one append to the log. */
  serialAppendBytesMax: 256 * KIB,
  /** Records of one port that wait for the log: above it, the port is not read while an append is undecided. */
  serialPauseBytes: 512 * KIB,
  /** The same while the log refuses: the port is read on, and above it the oldest records are dropped. */
  serialPendingBytesMax: 2 * MIB,
  /** Waits between attempts to open a port. A port that returns is open again within 5 s. */
  serialOpenBackoffMsMin: 200,
  serialOpenBackoffMsMax: 2_000,
  /** Waits between offers to a log that refuses. */
  serialOfferBackoffMsMin: 50,
  serialOfferBackoffMsMax: 2_000,
  /** A stop waits so long for the log to take what was read. */
  serialStopMs: 1_000,
} as const;
