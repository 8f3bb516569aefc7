import { limits } from '../../core/limits.ts';
import { decodeRegister } from './decode-register.ts';
import { isBitKind, type Register, type RegisterKind, widthOf } from './register.ts';

/** One request, and the registers that its answer holds. */
export interface PlannedRead {
  readonly kind: RegisterKind;
  readonly address: number;
  /** Registers, or bits. */
  readonly count: number;
  /** By address. */
  readonly registers: readonly Register[];
}

/**
 * The fewest requests for some registers: those that lie near each other are read together, also over
 * `limits.modbusGapMax` that nobody wants.
 */
export function planReads(registers: readonly Register[]): readonly PlannedRead[] {
  return [...Map.groupBy(registers, ({ kind }) => kind).values()].flatMap(readsOfKind);
}

function readsOfKind(registers: readonly Register[]): readonly PlannedRead[] {
  const reads: Register[][] = [];
  let startAt = 0;
  let endAt = 0;
  for (const register of registers.toSorted((one, other) => one.address - other.address)) {
    const registerEnd = register.address + widthOf(register);
    const last = reads.at(-1);
    const isNear = register.address - endAt <= limits.modbusGapMax;
    if (last !== undefined && isNear && registerEnd - startAt <= countMaxOf(register.kind)) {
      last.push(register);
      endAt = Math.max(endAt, registerEnd);
    } else {
      reads.push([register]);
      startAt = register.address;
      endAt = registerEnd;
    }
  }
  return reads.map(readOf);
}

const countMaxOf = (kind: RegisterKind): number =>
  isBitKind(kind) ? limits.modbusBitsPerReadMax : limits.modbusRegistersPerReadMax;

/** The request for registers of one kind, by address. */
function readOf(registers: readonly Register[]): PlannedRead {
  const { kind = 'holding', address = 0 } = registers[0] ?? {};
  const end = Math.max(...registers.map((register) => register.address + widthOf(register)));
  return { kind, address, count: end - address, registers };
}

/**
 * The same in two requests, to find out which register a device does not have; null for a single one. Values of one address
 * (bits of a register) stay together.
 */
export function halvesOf({ registers }: PlannedRead): readonly PlannedRead[] | null {
  const addresses = [...new Set(registers.map(({ address }) => address))];
  const middle = addresses[Math.ceil(addresses.length / 2)];
  if (middle === undefined) return null;
  return [
    readOf(registers.filter(({ address }) => address < middle)),
    readOf(registers.filter(({ address }) => address >= middle)),
  ];
}

/** How many bytes the answer to a request has to have. */
export const answerBytesOf = ({ kind, count }: Pick<PlannedRead, 'kind' | 'count'>): number =>
  isBitKind(kind) ? Math.ceil(count / 8) : count * 2;

/** One value of an answer: JSON text, or null where it is no number. */
export interface DecodedRegister {
  readonly register: Register;
  readonly json: string | null;
}

/** The values in the answer to a request, of {@link answerBytesOf} bytes. */
export function decodeRead(read: PlannedRead, data: Uint8Array): readonly DecodedRegister[] {
  return read.registers.map((register) => {
    const at = register.address - read.address;
    const bytes = isBitKind(read.kind)
      ? Uint8Array.of(((data[at >> 3] ?? 0) >> (at & 7)) & 1)
      : data.subarray(at * 2, (at + widthOf(register)) * 2);
    return { register, json: decodeRegister(register, bytes) };
  });
}
