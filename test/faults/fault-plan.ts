import { SimRandom } from '../support/sim-random.ts';

/** What can be done to a site, and how often it is in a deck of faults. */
const deck = {
  'gateway-kill': 2,
  /** An outage, and kills of the gateway while what has piled up leaves over a slow link. */
  drain: 4,
  'broker-kill': 2,
  'broker-stop': 1,
  'link-cut': 1,
  'black-hole': 2,
  'black-hole-to-one-broker': 1,
  stalls: 1,
  throttle: 1,
} as const;

export type FaultKind = keyof typeof deck;

/** A drain is worth so many other faults in readings, so that much piles up. */
const DRAIN_SLOTS = 4;
/** Of the readings of its slot: where a fault strikes, and how long it lasts, at most. */
const STRIKE_SHARE_MAX = 0.3;
const LENGTH_SHARE_MIN = 0.2;
const LENGTH_SHARE_MAX = 0.65;
/** With a drain nearly all of them pile up. */
const DRAIN_SHARE_MIN = 0.5;
const KILLS_IN_FAULT_MAX = 2;
/** Each process begins a journal file of its own, and the log seals once it has two that are complete. */
const KILLS_IN_OUTAGE = 2;
const KILLS_IN_DRAIN_MAX = 3;
const PAUSES_MAX = 6;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 1500;
const DRAIN_SECONDS_MIN = 2;
const DRAIN_SECONDS_MAX = 6;
const BYTES_PER_SECOND_MIN = 50_000;
const BYTES_PER_SECOND_MAX = 400_000;

/** One fault. All is said in readings that the sensors have in acknowledgements, not in seconds. */
export interface Fault {
  readonly kind: FaultKind;
  /** It strikes when so many readings are acknowledged. */
  readonly at: number;
  /** It ends when so many are, unless it is over at once; the sensors go on until then. */
  readonly end: number;
  /** Meanwhile the gateway is killed when so many are, ascending. */
  readonly kills: readonly number[];
  /** A drain: the gateway is killed when such a share of the backlog is on its way, ascending. */
  readonly drainKills: readonly number[];
  /** A drain: how long it would take without kills. */
  readonly drainSeconds: number;
  /** The broker that it strikes, if it is one. */
  readonly node: 1 | 2 | 3;
  /** A throttled link. */
  readonly bytesPerSecond: number;
  /** Stalls: how long nothing passes each time. */
  readonly pausesMs: readonly number[];
  /** Whether the mirror catches up before the next one strikes; else that one meets it in trouble. */
  readonly isAwaited: boolean;
}

export interface PlanOptions {
  readonly seed: number;
  readonly readings: number;
  readonly faults: number;
  /** Only these; by default all kinds, each as often as the deck has it. */
  readonly kinds?: readonly FaultKind[];
}

/** The faults of a run, in their order: the same ones for the same options. */
export function planFaults({ seed, readings, faults, kinds }: PlanOptions): readonly Fault[] {
  const random = new SimRandom(seed);
  const drawn = draw(random, faults, kinds ?? (Object.keys(deck) as FaultKind[]));
  const slots = drawn.reduce((sum, kind) => sum + slotsOf(kind), 0);
  let from = 0;
  return drawn.map((kind) => {
    const to = from + (slotsOf(kind) * readings) / slots;
    const fault = planFault(random, kind, from, to);
    from = to;
    return fault;
  });
}

const slotsOf = (kind: FaultKind): number => (kind === 'drain' ? DRAIN_SLOTS : 1);

/** From shuffled decks, so that each kind comes about as often as it should. */
function draw(random: SimRandom, count: number, kinds: readonly FaultKind[]): FaultKind[] {
  const drawn: FaultKind[] = [];
  while (drawn.length < count) {
    const cards = kinds.flatMap((kind) => Array.from({ length: deck[kind] }, () => kind));
    while (cards.length > 0) drawn.push(...cards.splice(random.below(cards.length), 1));
  }
  return drawn.slice(0, count);
}

function planFault(random: SimRandom, kind: FaultKind, from: number, to: number): Fault {
  const between = (min: number, max: number): number => min + random.next() * (max - min);
  const list = (count: number, one: () => number): number[] => Array.from({ length: count }, one);
  const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
  const isDrain = kind === 'drain';
  const at = Math.floor(from + between(0, STRIKE_SHARE_MAX) * (to - from));
  const share = between(isDrain ? DRAIN_SHARE_MIN : LENGTH_SHARE_MIN, LENGTH_SHARE_MAX);
  const end = Math.floor(at + share * (to - from));
  const isMoment = kind === 'gateway-kill' || kind === 'link-cut';
  const fewKills = isMoment ? 0 : random.below(KILLS_IN_FAULT_MAX + 1);
  const kills = list(isDrain ? KILLS_IN_OUTAGE : fewKills, () => Math.floor(between(at, end)));
  const drainKills = list(isDrain ? 1 + random.below(KILLS_IN_DRAIN_MAX) : 0, () => between(0, 0.9));
  return {
    kind,
    at,
    end,
    kills: ascending(kills),
    drainKills: ascending(drainKills),
    drainSeconds: between(DRAIN_SECONDS_MIN, DRAIN_SECONDS_MAX),
    node: (1 + random.below(3)) as 1 | 2 | 3,
    bytesPerSecond: Math.floor(between(BYTES_PER_SECOND_MIN, BYTES_PER_SECOND_MAX)),
    pausesMs: list(1 + random.below(PAUSES_MAX), () => Math.floor(between(PAUSE_MS_MIN, PAUSE_MS_MAX))),
    isAwaited: isDrain || random.chance(0.6),
  };
}

/** How often the plan kills the gateway: in all, and of these while a backlog drains. */
export function gatewayKills(faults: readonly Fault[]): { readonly all: number; readonly draining: number } {
  const sum = (of: (fault: Fault) => number): number => faults.reduce((total, fault) => total + of(fault), 0);
  const draining = sum(({ drainKills }) => drainKills.length);
  const all = sum(({ kind, kills }) => kills.length + (kind === 'gateway-kill' ? 1 : 0)) + draining;
  return { all, draining };
}
