import type { ReadProblem } from './bus.ts';
import type { Outcome } from './poll-schedule.ts';

/** Why a register has no value: for programs. `exception-2` and the like are codes of Modbus. */
export type FailureReason = `exception-${number}` | 'timeout' | 'garbled' | 'wrong-length' | 'not-a-number';

/** Why a register has no value, and the same in words. */
export interface ReadFailure {
  readonly reason: FailureReason;
  readonly words: string;
}

/** The exception codes of the Modbus Application Protocol V1.1b3, chapter 7. */
const exceptionWords: Readonly<Record<number, string>> = {
  1: 'illegal function: it has no registers of this kind',
  2: 'illegal data address: it has no such register',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledged, and not done yet',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'the device behind the gateway does not answer',
};

/** Asked for other registers, the unit may answer. */
const addressCodes: readonly number[] = [2, 3];
/** Asked later, the unit may answer. A gateway to a serial bus tells of silence in this way. */
const passingCodes: readonly number[] = [5, 6, 10, 11];

/** What a problem is called. */
export function failureOf(problem: ReadProblem): ReadFailure {
  switch (problem.kind) {
    case 'timeout':
      return { reason: 'timeout', words: 'no answer in time' };
    case 'garbled':
      return { reason: 'garbled', words: problem.message };
    case 'exception': {
      const { code } = problem;
      const words = exceptionWords[code] ?? 'a code that Modbus does not know';
      return { reason: `exception-${code}`, words: `exception ${code}, ${words}` };
    }
  }
}

/** What such a problem means for the schedule. */
export function outcomeOf(problem: ReadProblem): Outcome {
  if (problem.kind !== 'exception' || passingCodes.includes(problem.code)) return 'failed';
  return addressCodes.includes(problem.code) ? 'address-refused' : 'refused';
}
