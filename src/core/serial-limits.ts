import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about serial ports, and about devices on a bus. */
export const serialLimits = {
  // Ports
  serialPortsMax: 32,
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
  /** Bytes of a port are collected for so long, or while so many can come: Linux holds 4 KiB of a port. */
  serialReadPauseMsMax: 50,
  serialReadPauseBytes: 2 * KIB,
  /** Ports with shorter pauses are not read together with others, but to the millisecond. */
  serialReadTogetherMsMin: 10,
  /** A framing that goes by pauses needs this many looks at the port in a pause. */
  serialLooksPerGap: 4,
  /** What a waiting record costs in objects, besides its bytes. */
  serialRecordOverheadBytes: 512,
  /** Records of one port in one append to the log, if they are more than one. */
  serialAppendBytesMax: 256 * KIB,
  /** Records of one port that wait for the log: above it, a port with flow control is not read while an append is undecided. */
  serialPauseBytes: 512 * KIB,
  /** The same where the port is read on, without flow control or while the log refuses: above it the oldest records are dropped. */
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
  /** For which time the dead letters of a port or bus are bounded; further ones are counted. */
  deadLetterHourMs: 3_600_000,
  /** Bad frames of one port. */
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

  // Modbus
  modbusBusesMax: 16,
  /** Of one bus: as many as Modbus has addresses for. */
  modbusUnitsMax: 247,
  /** Of one unit. */
  modbusRegistersMax: 256,
  /** The highest address of a register. */
  modbusAddressMax: 65_535,
  modbusFieldNameLengthMax: 64,
  /** What an answer holds at most. */
  modbusRegistersPerReadMax: 125,
  modbusBitsPerReadMax: 2_000,
  /** Registers, or bits, that nobody wants are read along where that saves a request. */
  modbusGapMax: 8,
  /** The longest text of a device, in registers of two characters. */
  modbusTextRegistersMax: 64,
  /** How long a unit has for its answer. */
  modbusTimeoutMsMin: 10,
  modbusTimeoutMsMax: 10_000,
  modbusRetriesMax: 10,
  modbusIntervalMsMin: 50,
  modbusIntervalMsMax: 24 * 3600 * 1000,
  /** Who does not answer is asked that often, or in its own interval if that is longer. */
  modbusSilentMsMax: 60_000,
  /** A serial bus rests for so long at least before a request, and after one without an answer that counts: what comes late then finds nobody. */
  modbusRestMsMin: 2,
  modbusLateAnswerMs: 50,
  /** After such a request its unit is asked for nothing else for so long, or for its timeout if that is longer. */
  modbusHoldMsMin: 1_000,
  /** How soon what a serial port has received is seen, while an answer is awaited. */
  modbusLookMs: 4,
  /** What a connection of Modbus TCP may take to open. After so many timeouts in a row it is taken for dead. */
  modbusConnectMsMax: 5_000,
  modbusTcpTimeoutsMax: 5,
  /** Failed requests of one bus: what a person can do with them is to see why there are any. */
  modbusDeadLettersPerHourMax: 60,
  modbusDeadLetterBytesPerHourMax: 256 * KIB,

  // Decoders
  /** What a decoder may make of a frame of `serialFrameBytesMax`: each byte can become six, as in \u0001. */
  decodedBytesMax: 512 * KIB,
  decoderColumnsMax: 64,
  decoderNameLengthMax: 64,
  decoderSeparatorLengthMax: 8,
  /** A number as text, with the unit behind it. */
  decoderNumberLengthMax: 64,
  decoderUnitLengthMax: 16,
  /** A regular expression as it is written, in steps, and its named groups; a frame that it is matched with. Time grows with these together. */
  decoderPatternLengthMax: 500,
  decoderPatternStepsMax: 250,
  decoderPatternGroupsMax: 16,
  decoderPatternFrameBytesMax: 1 * KIB,
  /** The characters of which a pattern knows beforehand whether they match: those of ASCII. */
  decoderUsualCharacters: 128,
} as const;
