import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRegister } from '../../../src/ingest/modbus/decode-register.ts';
import {
  type ByteOrder,
  byteOrders,
  type RegisterSettings,
  type RegisterType,
  register,
} from '../../../src/ingest/modbus/register.ts';

const decode = (settings: Partial<RegisterSettings>, bytes: readonly number[]): string | null =>
  decodeRegister(register({ name: 'x', address: 0, ...settings }), Uint8Array.from(bytes));

/** What a device with this order sends of a value whose most significant byte is the first one. */
function sent(big: readonly number[], order: ByteOrder): readonly number[] {
  const words = Array.from({ length: big.length / 2 }, (_, at) => big.slice(at * 2, at * 2 + 2));
  const swapped = order === 'BADC' || order === 'DCBA' ? words.map((word) => word.toReversed()) : words;
  return (order === 'CDAB' || order === 'DCBA' ? swapped.toReversed() : swapped).flat();
}

const bytesOf = (width: number, write: (view: DataView) => void): readonly number[] => {
  const bytes = new Uint8Array(width);
  write(new DataView(bytes.buffer));
  return [...bytes];
};

const order = fc.constantFrom(...byteOrders);

describe('a register', () => {
  test('is read as data sheets write it: 230.1 V as a float, the letters of its bytes in each order', () => {
    const bytes = [0x43, 0x66, 0x19, 0x9a];
    expect(decode({ type: 'float32' }, bytes)).toBe('230.1');
    expect(decode({ type: 'float32', order: 'CDAB' }, [0x19, 0x9a, 0x43, 0x66])).toBe('230.1');
    expect(decode({ type: 'float32', order: 'BADC' }, [0x66, 0x43, 0x9a, 0x19])).toBe('230.1');
    expect(decode({ type: 'float32', order: 'DCBA' }, [0x9a, 0x19, 0x66, 0x43])).toBe('230.1');
  });

  test('of an integer type is that integer, with all its digits, in any order of bytes', () => {
    const types = { u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8 } as const;
    const writers: Readonly<Record<keyof typeof types, (view: DataView, value: bigint) => void>> = {
      u16: (view, value) => view.setUint16(0, Number(value)),
      i16: (view, value) => view.setInt16(0, Number(value)),
      u32: (view, value) => view.setUint32(0, Number(value)),
      i32: (view, value) => view.setInt32(0, Number(value)),
      u64: (view, value) => view.setBigUint64(0, value),
      i64: (view, value) => view.setBigInt64(0, value),
    };
    const example = fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])).chain((type) => {
      const bits = BigInt(types[type] * 8);
      const [min, max] = type.startsWith('u')
        ? [0n, 2n ** bits - 1n]
        : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
      return fc.record({ type: fc.constant(type), value: fc.bigInt({ min, max }), order });
    });
    fc.assert(
      fc.property(example, ({ type, value, order }) => {
        const big = bytesOf(types[type], (view) => writers[type](view, value));
        expect(decode({ type, order }, sent(big, order))).toBe(String(value));
      }),
    );
  });

  test('of a float type is that float, to the last bit', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), order, (value, order) => {
        const json = decode(
          { type: 'float32', order },
          sent(
            bytesOf(4, (view) => view.setFloat32(0, value)),
            order,
          ),
        );
        // JSON has no negative zero.
        expect(Math.fround(Number(json)) + 0).toBe(value + 0);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), order, (value, order) => {
        const big = bytesOf(8, (view) => view.setFloat64(0, value));
        expect(Number(decode({ type: 'float64', order }, sent(big, order))) + 0).toBe(value + 0);
      }),
    );
  });

  test('of 32 bits that was a decimal fraction in the device is that fraction', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -99_999, max: 99_999 }),
        fc.integer({ min: 0, max: 3 }),
        (digits, decimals) => {
          const value = digits / 10 ** decimals;
          const bytes = bytesOf(4, (view) => view.setFloat32(0, value));
          expect(decode({ type: 'float32' }, bytes)).toBe(JSON.stringify(value + 0));
        },
      ),
    );
  });

  test('is scaled without the noise of binary fractions', () => {
    expect(decode({ scale: 0.1 }, [0x08, 0xfd])).toBe('230.1');
    expect(decode({ type: 'i16', scale: 0.1, offset: -40 }, [0xff, 0xff])).toBe('-40.1');
    expect(decode({ type: 'u32', scale: 1e-3 }, [0, 1, 0, 1])).toBe('65.537');
    expect(decode({ type: 'float32', scale: 0.001 }, [0x43, 0x66, 0x19, 0x9a])).toBe('0.2301');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 1, max: 6 }), (raw, decimals) => {
        const json = decode({ scale: Number(`1e-${decimals}`) }, [raw >> 8, raw & 255]);
        expect(json).toBe(JSON.stringify(Number(`${raw}e-${decimals}`)));
      }),
    );
  });

  test('with a float that is no number has no value', () => {
    expect(decode({ type: 'float32' }, [0x7f, 0xc0, 0, 0])).toBe(null);
    expect(decode({ type: 'float32' }, [0x7f, 0x80, 0, 0])).toBe(null);
    expect(decode({ type: 'float64' }, [0xff, 0xf8, 0, 0, 0, 0, 0, 0])).toBe(null);
  });

  test('that its scale takes beyond all numbers has no value', () => {
    expect(decode({ scale: 1e305 }, [0xff, 0xff])).toBe(null);
    expect(decode({ type: 'i32', scale: -1e305 }, [0, 0, 0xff, 0xff])).toBe(null);
    expect(decode({ type: 'u64', scale: 1e300 }, new Array<number>(8).fill(0xff))).toBe(null);
    expect(decode({ type: 'float64', scale: 10 }, [0x7f, 0xef, 0, 0, 0, 0, 0, 0])).toBe(null);
    expect(decode({ scale: 1e303 }, [0xff, 0xff])).toBe('6.5535e+307');
  });

  test('gives one of its bits, and its text without what fills it up', () => {
    expect(decode({ type: 'bit', bit: 9 }, [0b10, 0])).toBe('true');
    expect(decode({ type: 'bit', bit: 8 }, [0b10, 0])).toBe('false');
    expect(decode({ kind: 'coil' }, [1])).toBe('true');
    const text = [...Buffer.from('SDM"12 \0x')];
    expect(decode({ type: 'string', length: 5 }, text)).toBe('"SDM\\"12"');
    expect(decode({ type: 'string', length: 2, order: 'BADC' }, [...Buffer.from('DSM1')])).toBe('"SD1M"');
  });

  test('is one piece of JSON or null, whatever the bytes are', () => {
    const types: readonly RegisterType[] = [
      'u16',
      'i16',
      'u32',
      'i32',
      'u64',
      'i64',
      'float32',
      'float64',
      'bit',
      'string',
    ];
    const settings = fc.record({
      type: fc.constantFrom(...types),
      order,
      scale: fc.double({ noNaN: true, noDefaultInfinity: true }),
      offset: fc.double({ noNaN: true, noDefaultInfinity: true }),
      bit: fc.integer({ min: 0, max: 15 }),
    });
    fc.assert(
      fc.property(settings, fc.uint8Array({ minLength: 8, maxLength: 8 }), (settings, bytes) => {
        const json = decode({ ...settings, length: 4 }, [...bytes]);
        expect(json === null || ['number', 'boolean', 'string'].includes(typeof JSON.parse(json))).toBe(true);
      }),
    );
  });
});
