/** Where a device keeps a value: the four tables of Modbus. The first two hold registers of 16 bits, the others single bits. */
export const registerKinds = ['holding', 'input', 'coil', 'discrete'] as const;

export type RegisterKind = (typeof registerKinds)[number];

/** How the bits of a value are to be understood. */
export const registerTypes = [
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
] as const;

export type RegisterType = (typeof registerTypes)[number];

/**
 * The order of the bytes of a value, as they come: A is the most significant one, and each pair is a register. Modbus itself says
 * ABCD; many devices send the lower register first, CDAB.
 */
export const byteOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;

export type ByteOrder = (typeof byteOrders)[number];

/** One value of a device, and how to read it. */
export interface Register {
  /** Of its field in the record. */
  readonly name: string;
  readonly kind: RegisterKind;
  /** As it is in the request, from 0: what data sheets call 30001 or 40001 has the address 0. */
  readonly address: number;
  readonly type: RegisterType;
  readonly order: ByteOrder;
  /** Numbers become value · scale + offset. */
  readonly scale: number;
  readonly offset: number;
  /** What the value is measured in; null if nobody has said. */
  readonly unit: string | null;
  /** Of `bit` in a register: which one, 0 is the least significant. */
  readonly bit: number;
  /** Of `string`: how many registers, two characters each. */
  readonly length: number;
}

/** A register of which only what matters is said: by default a holding register with an unsigned number, a single bit in the tables of bits. */
export type RegisterSettings = Pick<Register, 'name' | 'address'> & {
  readonly [Setting in keyof Register]?: Register[Setting] | undefined;
};

/** A register with its defaults filled in. */
export function register(settings: RegisterSettings): Register {
  const { name, address, kind = 'holding', order = 'ABCD', scale = 1, offset = 0 } = settings;
  const { type = isBitKind(kind) ? 'bit' : 'u16', unit = null, bit = 0, length = 1 } = settings;
  return { name, kind, address, type, order, scale, offset, unit, bit, length };
}

/** Whether a table holds single bits rather than registers. */
export const isBitKind = (kind: RegisterKind): boolean => kind === 'coil' || kind === 'discrete';

/** How many registers (in a table of bits: bits) a value takes. */
export function widthOf({ type, length }: Pick<Register, 'type' | 'length'>): number {
  switch (type) {
    case 'u16':
    case 'i16':
    case 'bit':
      return 1;
    case 'u32':
    case 'i32':
    case 'float32':
      return 2;
    case 'u64':
    case 'i64':
    case 'float64':
      return 4;
    case 'string':
      return length;
  }
}
