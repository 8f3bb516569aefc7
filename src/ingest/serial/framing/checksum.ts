/**
 * A checksum over any stretch of a stream, in constant time: of the states that it has before and after that stretch
 * when it runs over the whole stream. So frames that overlap, as false beginnings make them, cost no more than others.
 */
export interface Checksum {
  /** What it takes in a frame. */
  readonly bytes: 1 | 2;
  /** Whether its higher byte comes first. */
  readonly isBigEndian: boolean;
  /** The state after a byte, from 0 at the beginning of the stream on; 16 bits. */
  readonly step: (state: number, byte: number) => number;
  /** The checksum of a stretch of so many bytes between two states. */
  readonly between: (before: number, after: number, length: number) => number;
}

const addUp = (state: number, byte: number): number => (state + byte) & 0xffff;

const sum = { step: addUp, isBigEndian: true } as const;

/** By the names that settings have for them. */
export const checksums = {
  /** SDS011 and many more: the sum, modulo 256. */
  'sum-8': { ...sum, bytes: 1, between: (before, after) => (after - before) & 0xff },
  /** MH-Z19: what is missing from the sum to a multiple of 256. */
  'negative-sum-8': { ...sum, bytes: 1, between: (before, after) => (before - after) & 0xff },
  /** PMS5003: the sum, modulo 65536, its higher byte first. */
  'sum-16': { ...sum, bytes: 2, between: (before, after) => (after - before) & 0xffff },
  'xor-8': {
    bytes: 1,
    isBigEndian: true,
    step: (state, byte) => state ^ byte,
    between: (before, after) => before ^ after,
  },
  /** DSMR P1, which writes it in hexadecimal digits; elsewhere its lower byte first. */
  'crc-16/arc': reflectedCrc16(0x0000),
  /** Devices that send by themselves in the frames of Modbus RTU; its lower byte first. */
  'crc-16/modbus': reflectedCrc16(0xffff),
} as const satisfies Readonly<Record<string, Checksum>>;

export type ChecksumName = keyof typeof checksums;

/**
 * A CRC is linear: the state after a stretch is that of the stretch alone, XOR what the state before it becomes by as
 * many zero bytes. So that of the stretch alone, begun with `initial`, follows from the two. (The idea of `crc32_combine`
 * in zlib.)
 */
function reflectedCrc16(initial: number): Checksum {
  // The generator polynomial x¹⁶ + x¹⁵ + x² + 1, its bits reversed.
  const table = Uint16Array.from({ length: 256 }, (_, byte) => {
    let state = byte;
    for (let bit = 0; bit < 8; bit += 1) state = (state >> 1) ^ (state & 1 ? 0xa001 : 0);
    return state;
  });
  const step = (state: number, byte: number): number => (state >> 8) ^ (table[(state ^ byte) & 0xff] ?? 0);
  const powers = zeroBytes(step);
  return {
    bytes: 2,
    isBigEndian: false,
    step,
    between: (before, after, length) => {
      let moved = before ^ initial;
      for (let power = 0; length >> power > 0; power += 1)
        if ((length >> power) & 1) moved = powers[power]?.(moved) ?? 0;
      return after ^ moved;
    },
  };
}

/** What 1, 2, 4 … zero bytes do to a state; enough for stretches below 2²⁰ bytes. */
function zeroBytes(step: Checksum['step']): readonly ((state: number) => number)[] {
  let power = tabled((state) => step(state, 0));
  return Array.from({ length: 20 }, () => {
    const half = power;
    power = tabled((state) => half(half(state)));
    return half;
  });
}

/** A linear map of 16 bits, looked up for its two bytes. */
function tabled(map: (state: number) => number): (state: number) => number {
  const low = Uint16Array.from({ length: 256 }, (_, byte) => map(byte));
  const high = Uint16Array.from({ length: 256 }, (_, byte) => map(byte << 8));
  return (state) => (low[state & 0xff] ?? 0) ^ (high[state >> 8] ?? 0);
}
