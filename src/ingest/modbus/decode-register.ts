import { isBitKind, type Register } from './register.ts';

const latin1 = new TextDecoder('latin1');

/** What a float of 32 and one of 64 bits can tell apart, in decimal digits. */
const FLOAT32_DIGITS = 7;
const FLOAT64_DIGITS = 15;

/**
 * The value of a register as JSON text; null for a float that is no number, which is how many devices say that they have none, and for what is none when it is scaled.
 * Integers keep all their digits, scaled ones as many decimals as scale and offset have; a float of 32 bits has the fewest
 * digits that stand for it.
 * @param bytes as the device sent them: two for each register of its width; of a table of bits one, not 0 if the bit is set
 */
export function decodeRegister(register: Register, bytes: Uint8Array): string | null {
  if (isBitKind(register.kind)) return String(bytes[0] !== 0);
  const ordered = inOrder(register, bytes);
  const view = new DataView(ordered.buffer);
  switch (register.type) {
    case 'u16':
      return scaledInteger(register, view.getUint16(0));
    case 'i16':
      return scaledInteger(register, view.getInt16(0));
    case 'u32':
      return scaledInteger(register, view.getUint32(0));
    case 'i32':
      return scaledInteger(register, view.getInt32(0));
    case 'u64':
      return scaledInteger(register, view.getBigUint64(0));
    case 'i64':
      return scaledInteger(register, view.getBigInt64(0));
    case 'float32':
      return scaledFloat(register, shortestFloat32(view.getFloat32(0)), FLOAT32_DIGITS);
    case 'float64':
      return scaledFloat(register, view.getFloat64(0), FLOAT64_DIGITS);
    case 'bit':
      return String(((view.getUint16(0) >> register.bit) & 1) === 1);
    case 'string':
      return JSON.stringify(textOf(ordered));
  }
}

/** A copy with the most significant byte first. Of a text only the bytes of each register may be swapped. */
function inOrder({ order, type }: Register, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const areWordsReversed = (order === 'CDAB' || order === 'DCBA') && type !== 'string';
  const areBytesSwapped = order === 'BADC' || order === 'DCBA';
  const ordered = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const fromWord = areWordsReversed ? bytes.length - 2 - (at & ~1) : at & ~1;
    ordered[at] = bytes[fromWord + ((at & 1) ^ (areBytesSwapped ? 1 : 0))] ?? 0;
  }
  return ordered;
}

/** Without a scale an integer keeps all its digits, also those that a JavaScript number has no room for. */
function scaledInteger({ scale, offset }: Register, value: number | bigint): string | null {
  if (scale === 1 && offset === 0) return String(value);
  // 2301 · 0.1 is 230.10000000000002 in binary.
  const scaled = Number(value) * scale + offset;
  return jsonOf(Number(scaled.toFixed(Math.max(decimalsOf(scale), decimalsOf(offset)))));
}

function scaledFloat({ scale, offset }: Register, value: number, digits: number): string | null {
  const scaled = scale === 1 && offset === 0 ? value : Number((value * scale + offset).toPrecision(digits));
  return jsonOf(scaled);
}

/** JSON has no word for what is no number; `null` would be stored as a value. */
const jsonOf = (value: number): string | null => (Number.isFinite(value) ? JSON.stringify(value) : null);

/** How many digits a number has behind its point, at most what `toFixed` takes. */
function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const behind = digits.split('.')[1]?.length ?? 0;
  return Math.min(100, Math.max(0, behind - Number(exponent)));
}

/** The number with the fewest digits that is the same as a float of 32 bits: 230.1, not 230.10000610351562. */
function shortestFloat32(value: number): number {
  for (let digits = FLOAT32_DIGITS - 1; digits <= FLOAT32_DIGITS + 1; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** Up to the first zero, without the spaces at its end: texts fill their registers with either. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return latin1.decode(end === -1 ? bytes : bytes.subarray(0, end)).trimEnd();
}
