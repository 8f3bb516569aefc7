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
  /** Commands to a port: bytes of one, how many in a list, how often they may go, how long the system may take to take one. */
  serialCommandBytesMax: 256,
  serialCommandsMax: 16,
  serialPollMsMin: 50,
  serialPollMsMax: 86_400_000,
  serialCommandPauseMsMax: 60_000,
  serialWriteTimeoutMs: 1_000,
  /** An open port from which nothing comes may be told as stalled after so long. */
  serialStalledAfterMsMin: 100,
  serialStalledAfterMsMax: 30 * 86_400_000,
  /** A port that is polled is stalled after so many polls without an answer, if nothing else is said. */
  serialStalledPollsDefault: 3,
  /** Bad frames of one port that are kept in an hour; further ones are counted. */
  serialDeadLetterHourMs: 3_600_000,
  serialDeadLettersPerHourMax: 1_000,
  serialDeadLetterBytesPerHourMax: 4 * MIB,
  /** What waits for somebody who watches a port. */
  serialWatchBytesMax: 512 * KIB,
  sniffSecondsMax: 86_400,
  /** Waits between offers to a log that refuses. */
  serialOfferBackoffMsMin: 50,
  serialOfferBackoffMsMax: 2_000,
  /** A stop waits so long for the log to take what was read. */
  serialStopMs: 1_000,

  // Decoders
  /** What a decoder may make of a frame of `serialFrameBytesMax`: each byte can become six, as in \u0001. */
  decodedBytesMax: 512 * KIB,
  decoderColumnsMax: 64,
  decoderNameLengthMax: 64,
  decoderSeparatorLengthMax: 8,
  /** A number as text, with the unit behind it. */
  decoderNumberLengthMax: 64,
  /** A regular expression as it is written, in steps, and its named groups; a frame that it is matched with. Time grows with these together. */
  decoderPatternLengthMax: 500,
  decoderPatternStepsMax: 250,
  decoderPatternGroupsMax: 16,
  decoderPatternFrameBytesMax: 1 * KIB,
  /** The characters of which a pattern knows beforehand whether they match: those of ASCII. */
  decoderUsualCharacters: 128,
} as const;
