import { limits } from '../../core/limits.ts';
import { halvesOf, type PlannedRead } from './read-plan.ts';

/** A unit of a bus: what is read of it, and how often. */
export interface UnitPlan {
  /** Its number on the bus. Several units may be one device. */
  readonly device: number;
  readonly intervalMs: number;
  readonly reads: readonly PlannedRead[];
}

/** How a bus deals with requests that are not answered. */
export interface ScheduleSettings {
  /** How often a request is repeated. */
  readonly retries: number;
  /** For so long a device is asked for nothing else after a failure: its answer may come late, and does not say what it is for. 0 where it does. */
  readonly holdMs: number;
}

/** Who is asked for what on one bus, and when. Times are of the monotonic clock. */
export interface ScheduleState {
  readonly settings: ScheduleSettings;
  readonly units: readonly UnitState[];
  /** The unit that has been asked and has not answered; null if there is none. There is never more than one. */
  readonly asked: number | null;
}

interface UnitState {
  readonly device: number;
  readonly intervalMs: number;
  readonly reads: readonly ScheduledRead[];
  /** When its next request may go. */
  readonly readyMs: number;
  /** Not before this either, because an answer to something else may still come from its device. */
  readonly heldMs: number;
  /** Null between polls. */
  readonly poll: Poll | null;
  /** How many polls in a row nobody has answered. */
  readonly silentPolls: number;
  /** Where a poll begins: at what has been answered, so that a request that a device never answers is not taken for its silence. */
  readonly firstRead: number;
}

interface ScheduledRead {
  readonly read: PlannedRead;
  /** The last time that it was asked. */
  readonly hasFailed: boolean;
}

interface Poll {
  readonly dueMs: number;
  /** The read to ask next, and how many there are from there on. */
  readonly position: number;
  readonly left: number;
  /** Of this read, so far. */
  readonly attempts: number;
  readonly hasAnswer: boolean;
}

/**
 * What came of a request. `address-refused`: the device does not have one of the registers, but perhaps the others.
 * `refused`: it answers, and will not have it. `failed`: no answer, or none that can be understood.
 */
export type Outcome = 'answered' | 'address-refused' | 'refused' | 'failed';

export type ScheduleEvent =
  /** Nobody is being asked, and the time may have come. */
  | { readonly kind: 'woke'; readonly nowMs: number }
  /** What was asked has ended. */
  | { readonly kind: 'ended'; readonly nowMs: number; readonly outcome: Outcome };

/** What has become of a poll. */
export type PollCommand =
  /** A request has come to nothing in this poll. */
  | {
      readonly kind: 'give-up';
      readonly unit: number;
      readonly read: PlannedRead;
      readonly isSilent: boolean;
    }
  /** The poll is over; `isSilent` if nobody has answered. */
  | { readonly kind: 'finish'; readonly unit: number; readonly isSilent: boolean };

export type NextCommand =
  /** Send a request; its end is to be told. */
  | { readonly kind: 'ask'; readonly unit: number; readonly read: PlannedRead }
  /** Nothing is due for so long. */
  | { readonly kind: 'sleep'; readonly ms: number };

/** The state after an event, and what is to be done: first the commands, in order, then the next one. */
export interface ScheduleStep {
  readonly state: ScheduleState;
  readonly commands: readonly PollCommand[];
  readonly next: NextCommand;
}

/** A bus of which nobody knows who answers; all are due. */
export function startSchedule(
  units: readonly UnitPlan[],
  settings: ScheduleSettings,
  nowMs: number,
): ScheduleState {
  const states = units.map(({ device, intervalMs, reads }) => ({
    device,
    intervalMs,
    reads: reads.map((read) => ({ read, hasFailed: false })),
    readyMs: nowMs,
    heldMs: nowMs,
    poll: null,
    silentPolls: 0,
    firstRead: 0,
  }));
  return { settings, units: states, asked: null };
}

/**
 * One request at a time, to who has been due longest. A poll that comes late is not made up for. What was not answered is
 * repeated after all that has become due meanwhile, so that a silent unit never costs the others more than one timeout at a
 * time; when it is known to be silent it is asked for one thing only, in intervals that double up to `limits.modbusSilentMsMax`.
 */
export function stepSchedule(state: ScheduleState, event: ScheduleEvent): ScheduleStep {
  const { asked } = state;
  const unit = asked === null ? undefined : state.units[asked];
  if (event.kind === 'woke' || asked === null || unit === undefined) return goOn(state, [], event.nowMs);
  const { after, commands } = afterAnswer(unit, asked, state.settings.retries, event);
  const units = state.units.with(asked, after);
  // What was asked twice may be answered twice.
  const mayAnswerLate = event.outcome === 'failed' || (unit.poll?.attempts ?? 0) > 0;
  const { holdMs } = state.settings;
  const isHeld = mayAnswerLate && holdMs > 0;
  const next = { ...state, units: isHeld ? held(units, asked, event.nowMs + holdMs) : units, asked: null };
  return goOn(next, commands, event.nowMs);
}

/** Until then the device of a unit is asked for nothing but a retry, or the one thing that it is ever asked for: a late answer would be right for that. */
function held(units: readonly UnitState[], asked: number, heldMs: number): readonly UnitState[] {
  const device = units[asked]?.device;
  const readsOfDevice = units.flatMap((unit) => (unit.device === device ? unit.reads : []));
  return units.map((unit, index) => {
    // Retries end; whoever went on with one thing for ever, failing, would never let the others of its device have a turn.
    const isSameAgain = index === asked && (readsOfDevice.length === 1 || (unit.poll?.attempts ?? 0) > 0);
    return unit.device !== device || isSameAgain ? unit : { ...unit, heldMs };
  });
}

const nextMs = ({ readyMs, heldMs }: UnitState): number => Math.max(readyMs, heldMs);

/** Which of the units that may be asked has been due longest; where none may be asked, who may be first. */
function firstUnit(units: readonly UnitState[], nowMs: number): number {
  let first = 0;
  let firstKey = [Infinity, Infinity] as const;
  for (const [index, unit] of units.entries()) {
    // Those that were held are free all at once: by that time alone the first in the list would always be first.
    const key = [Math.max(nextMs(unit), nowMs), unit.readyMs] as const;
    if (key[0] < firstKey[0] || (key[0] === firstKey[0] && key[1] < firstKey[1])) {
      first = index;
      firstKey = key;
    }
  }
  return first;
}

/** Asks who has been due longest, if anybody is. */
function goOn(state: ScheduleState, commands: readonly PollCommand[], nowMs: number): ScheduleStep {
  const next = firstUnit(state.units, nowMs);
  const unit = state.units[next];
  const waitMs = unit === undefined ? limits.modbusIntervalMsMax : nextMs(unit) - nowMs;
  if (unit === undefined || waitMs > 0) return { state, commands, next: { kind: 'sleep', ms: waitMs } };
  const poll = unit.poll ?? {
    dueMs: unit.readyMs,
    position: unit.firstRead,
    left: unit.reads.length,
    attempts: 0,
    hasAnswer: false,
  };
  const { read } = readAt(unit, poll.position);
  return {
    state: { ...state, units: state.units.with(next, { ...unit, poll }), asked: next },
    commands,
    next: { kind: 'ask', unit: next, read },
  };
}

interface Answered {
  readonly after: UnitState;
  readonly commands: readonly PollCommand[];
}

function afterAnswer(
  unit: UnitState,
  index: number,
  retries: number,
  { nowMs, outcome }: Extract<ScheduleEvent, { readonly kind: 'ended' }>,
): Answered {
  const { poll } = unit;
  if (poll === null) throw new Error('broken assumption: who answers has been asked');
  const { read, hasFailed } = readAt(unit, poll.position);
  const halves = outcome === 'address-refused' ? halvesOf(read) : null;
  if (halves !== null) return { after: dividedInto(unit, poll, halves), commands: [] };
  if (outcome !== 'failed') {
    const after = nextRead(marked(unit, poll.position, false), { ...poll, hasAnswer: true }, nowMs);
    const refused =
      outcome === 'answered' ? [] : [{ kind: 'give-up', unit: index, read, isSilent: false } as const];
    return { after, commands: [...refused, ...finished(after, index, false)] };
  }
  const attempts = poll.attempts + 1;
  const attemptsMax = unit.silentPolls > 0 || hasFailed ? 1 : 1 + retries;
  if (attempts < attemptsMax)
    return { after: { ...unit, readyMs: nowMs, poll: { ...poll, attempts } }, commands: [] };
  const failed = marked(unit, poll.position, true);
  const isSilent = !poll.hasAnswer;
  const after = isSilent ? silent(failed, poll, nowMs) : laterTurn(nextRead(failed, poll, nowMs), nowMs);
  return {
    after,
    commands: [{ kind: 'give-up', unit: index, read, isSilent }, ...finished(after, index, isSilent)],
  };
}

function readAt({ reads }: UnitState, position: number): ScheduledRead {
  const found = reads[position];
  if (found === undefined) throw new Error('broken assumption: a poll asks for what there is');
  return found;
}

const finished = ({ poll }: UnitState, unit: number, isSilent: boolean): readonly PollCommand[] =>
  poll === null ? [{ kind: 'finish', unit, isSilent }] : [];

const marked = (unit: UnitState, position: number, hasFailed: boolean): UnitState => ({
  ...unit,
  reads: unit.reads.with(position, { ...readAt(unit, position), hasFailed }),
});

/** The two halves of the present read take its place, and are asked for in its turn; until the bus is lost it stays so. */
function dividedInto(unit: UnitState, poll: Poll, halves: readonly PlannedRead[]): UnitState {
  const parts = halves.map((read) => ({ read, hasFailed: false }));
  return {
    ...unit,
    reads: unit.reads.toSpliced(poll.position, 1, ...parts),
    firstRead: unit.firstRead > poll.position ? unit.firstRead + 1 : unit.firstRead,
    poll: { ...poll, left: poll.left + 1, attempts: 0, hasAnswer: true },
  };
}

function nextRead(unit: UnitState, poll: Poll, nowMs: number): UnitState {
  if (poll.left > 1) {
    const position = (poll.position + 1) % unit.reads.length;
    return { ...unit, poll: { ...poll, position, left: poll.left - 1, attempts: 0 } };
  }
  const intervals = Math.max(1, Math.ceil((nowMs - poll.dueMs) / unit.intervalMs));
  return { ...unit, poll: null, silentPolls: 0, readyMs: poll.dueMs + intervals * unit.intervalMs };
}

/** What has cost a timeout lets all go first that have become due meanwhile, as a retry does; a poll that is over begins in its interval. */
const laterTurn = (unit: UnitState, nowMs: number): UnitState =>
  unit.poll === null ? unit : { ...unit, readyMs: nowMs };

function silent(unit: UnitState, poll: Poll, nowMs: number): UnitState {
  const silentPolls = unit.silentPolls + 1;
  const waitMsMax = Math.max(unit.intervalMs, limits.modbusSilentMsMax);
  return {
    ...unit,
    poll: null,
    silentPolls,
    firstRead: (poll.position + 1) % unit.reads.length,
    readyMs: nowMs + Math.min(unit.intervalMs * 2 ** silentPolls, waitMsMax),
  };
}
