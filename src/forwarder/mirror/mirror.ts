import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Failure } from '../cluster/target.ts';
import { extendLives, isSame, type PartitionName } from './checkpoint.ts';
import { type DoubtfulRange, doubtfulAfterLoss, doubtfulUnderNewIdentity } from './doubtful.ts';
import { backoffMs, explained, isBySize, repeatDelayMs, wasAnswered } from './failed-attempts.ts';
import { batchBytesMaxOf, sizeAfterBreak, sizeAfterCommit } from './flush-size.ts';
import { isHeld, settleHolds } from './holds.ts';
import { describeLost } from './lost-checkpoint.ts';
import type { MirrorState, Phase, Step } from './mirror-state.ts';
import type { MirrorCommand, MirrorEvent, PartitionCopy, ReadRange } from './mirror-steps.ts';
import { type Heeded, heed, isPassed, isPaused, readPosition, settle, settleOpened } from './objections.ts';
import { type ResumedPartition, resumePositions } from './resume.ts';

/*
 * The mirror's order of things, as a pure function: no time, no I/O, no randomness. Exactly one question is open at
 * any time: the last command of a step; its answer is the next event. `stop` alone may come in between.
 */

/** What to do next. @throws Error if the event cannot follow the state: a bug of the caller. */
export function step(state: MirrorState, event: MirrorEvent): Step {
  switch (event.type) {
    case 'start':
      return enter(state, 'opening');
    case 'stop':
      return { state: { ...state, stopping: true }, commands: [] };
    case 'opened':
      return proceed({ ...state, care: settleOpened(state.care) }, 'opening', 'resuming');
    case 'checkpoints':
      return resume(state, event);
    case 'minted':
      return proceed(state, 'minting', 'opening');
    case 'told':
      return proceed(state, 'telling', 'reading');
    case 'read':
      return afterRead(state, event.ranges, event.backlog);
    case 'reassigned':
    case 'new-partition':
      return proceed(state, 'reading', 'opening');
    case 'rest-due':
      return rest(state);
    case 'rested':
      return proceed(state, 'resting', 'opening');
    case 'log-start-moved':
      return proceed(
        { ...state, ...settleHolds(state, event.partitions, state.care.asides, event.ledger) },
        'reading',
        'reading',
      );
    case 'remembered':
      return proceed({ ...state, unremembered: [] }, 'remembering', 'sending');
    case 'overtaken':
      return proceed({ ...state, flush: [], unremembered: state.flush }, 'remembering', 'reading');
    case 'sent':
      expectPhase(state, 'sending');
      return enter(state, 'committing');
    case 'committed':
      return afterCommit(state, event.elapsedMs);
    case 'aborted':
      expectPhase(state, 'aborting');
      return answerObjections(state, state.failure, event);
    case 'set-aside':
      expectPhase(state, 'setting-aside');
      return backOff(state, state.failure, event.jitter, { isAnswered: true });
    case 'pause-over':
      return proceed({ ...state, care: { ...state.care, pauses: [] } }, 'reading', 'opening');
    case 'wrote':
      return state.lingerMs > 0 ? linger(state) : proceed(state, 'waiting', 'reading');
    case 'woke':
      return afterSleep(state);
    case 'failed':
      return afterFailure(state, event);
  }
}

function resume(
  state: MirrorState,
  { clusterId, partitions, others, ledger }: Extract<MirrorEvent, { readonly type: 'checkpoints' }>,
): Step {
  expectPhase(state, 'resuming');
  const resumed = resumePositions(partitions, others, clusterId, state.onCheckpointLost);
  if (resumed.kind === 'other-history') {
    const all = [...partitions, ...others];
    return mint(state, resumed.life, doubtfulUnderNewIdentity(all, clusterId, state.onCheckpointLost));
  }
  const { positions, unannounced, lost } = resumed;
  const doubtful = doubtfulAfterLoss(lost, positions);
  // After an attempt that has told of it, it is the first one that knew what was in doubt.
  const isKnown = state.warning !== null && state.clusterId === clusterId && doubtful.length === 0;
  const warning =
    lost.length === 0 || isKnown ? state.warning : describeLost(lost, clusterId, state.onCheckpointLost);
  if (lost.length > 0 && state.onCheckpointLost === 'stop')
    return finish({ ...state, failure: { kind: 'refused', message: warning ?? '' } });
  // Those that a checkpoint has passed are forgotten with the next ones; a position alone does not outlive the process.
  const asides = partitions.flatMap((one) => one.asides).filter((one) => !isPassed(one, positions));
  const standing = settleHolds({ positions, holds: [] }, [...partitions, ...others], asides, ledger) ?? {
    positions,
    holds: [],
  };
  const resumedState = {
    ...state,
    ...standing,
    care: { ...state.care, asides },
    clusterId,
    turn: 0,
    flush: [],
    unremembered: standing.positions,
    unannounced,
    warning,
  };
  return tell(resumedState, doubtful, lost);
}

function mint(state: MirrorState, life: string, doubtful: readonly DoubtfulRange[]): Step {
  if (state.stopping) return finish(state);
  return { state: { ...state, phase: 'minting', repeats: 0 }, commands: [{ type: 'mint', life, doubtful }] };
}

/** With the copies as they are from now on, the next session start finds nothing of it in doubt, and tells nothing again. */
function tell(
  state: MirrorState,
  doubtful: readonly DoubtfulRange[],
  lost: readonly ResumedPartition[],
): Step {
  if (doubtful.length === 0) return proceed(state, 'resuming', 'reading');
  if (state.stopping) return finish(state);
  const copies = lost.flatMap((one): readonly PartitionCopy[] => {
    const position = state.positions[indexOf(state, one)];
    if (one.copy === null || position === undefined) return [];
    return [{ ...position, clusterId: one.copy.clusterId, sendingTo: null }];
  });
  return {
    state: { ...state, phase: 'telling', repeats: 0 },
    commands: [{ type: 'tell', doubtful, copies }],
  };
}

function afterRead(state: MirrorState, ranges: readonly ReadRange[], backlog: boolean): Step {
  if (ranges.length === 0) return proceed({ ...state, failures: 0, failure: null }, 'reading', 'waiting');
  const flush = ranges.map(({ topic, partition, fromOffset, nextOffset, lives }) => {
    const position = state.positions[indexOf(state, { topic, partition })];
    assert(position !== undefined, `read of ${topic}-${partition}, which has no position`);
    return { topic, partition, nextOffset, lives: extendLives(position.lives, fromOffset, lives) };
  });
  const isRead = (of: PartitionName): boolean => flush.some((one) => isSame(one, of));
  const announced = state.unannounced.filter((position) => !isRead(position));
  return proceed({ ...state, flush: [...announced, ...flush], backlog }, 'reading', 'remembering');
}

function afterCommit(state: MirrorState, elapsedMs: number): Step {
  expectPhase(state, 'committing');
  const positions = [...state.positions];
  for (const position of state.flush) positions[indexOf(state, position)] = position;
  const last = state.flush.at(-1);
  const turn = last === undefined ? 0 : (indexOf(state, last) + 1) % positions.length;
  const acknowledged = { flush: [], unremembered: state.flush, unannounced: [] };
  const flushSize = sizeAfterCommit(state.flushSize, elapsedMs, state.backlog);
  const care = settle(state.care, state.flush);
  const settled = {
    ...state,
    positions,
    care,
    turn,
    ...acknowledged,
    flushSize,
    failures: 0,
    failure: null,
  };
  // What was committed may have been what a held partition waits for.
  const isMore = state.backlog || state.holds.length > 0;
  return proceed(settled, 'committing', isMore ? 'reading' : 'waiting');
}

function linger(state: MirrorState): Step {
  expectPhase(state, 'waiting');
  if (state.stopping) return finish(state);
  return { state: { ...state, phase: 'lingering' }, commands: [{ type: 'sleep', ms: state.lingerMs }] };
}

function afterSleep(state: MirrorState): Step {
  if (state.stopping) return finish(state);
  if (state.phase === 'lingering') return enter(state, 'reading');
  if (state.phase === 'backing-off') return enter(state, 'opening');
  if (state.phase === 'waiting') return enter(state, 'waiting');
  return { state, commands: [question(state, state.phase)] };
}

function afterFailure(before: MirrorState, event: Extract<MirrorEvent, { readonly type: 'failed' }>): Step {
  // The first failure is the one to tell; that the abort failed as well changes nothing.
  if (before.phase === 'aborting') return backOff(before, before.failure, event.jitter);
  const failure = explained(event.failure, event.elapsedMs);
  const isInHand = before.phase === 'sending' || before.phase === 'committing';
  const isTooLarge = isInHand && isBySize(failure, event.elapsedMs);
  const state = isTooLarge
    ? { ...before, flushSize: sizeAfterBreak(before.flushSize, event.elapsedMs) }
    : before;
  if (state.phase === 'sending' && wasAnswered(failure)) return enter({ ...state, failure }, 'aborting');
  if (state.stopping) return finish(state);
  const ms = repeatDelayMs(failure, state, event.jitter);
  if (ms !== null)
    return repeat(
      failure.kind === 'hidden' && state.repeats >= limits.hiddenQuietRepeats ? { ...state, failure } : state,
      ms,
    );
  return state.phase === 'opening'
    ? answerObjections(state, failure, event)
    : backOff(state, failure, event.jitter);
}

/** With what the cluster objects to out of the way, the next session can carry the rest. */
function answerObjections(
  state: MirrorState,
  failure: Failure | null,
  { atMs, jitter }: Pick<Extract<MirrorEvent, { readonly type: 'aborted' }>, 'atMs' | 'jitter'>,
): Step {
  const { care, ranges, ...answer } = heed(state.care, failure?.objections ?? [], {
    atMs,
    isOpening: state.phase === 'opening',
  });
  const heeded = { ...state, care };
  if (state.stopping || ranges.length === 0) return backOff(heeded, failure, jitter, answer);
  return {
    state: { ...heeded, phase: 'setting-aside' },
    commands: [{ type: 'set-aside', known: care.asides, ranges }],
  };
}

/** Nothing is in hand: a session begins, or something was to be read. What had failed before is still to be tried again. */
function rest(state: MirrorState): Step {
  assert(state.phase === 'opening' || state.phase === 'reading', `the mirror is ${state.phase}`);
  if (state.stopping) return finish(state);
  return {
    state: { ...state, phase: 'resting', repeats: 0 },
    commands: [{ type: 'close' }, { type: 'rest' }],
  };
}

function repeat(state: MirrorState, ms: number): Step {
  return {
    state: { ...state, repeats: state.repeats + 1 },
    commands: [{ type: 'sleep', ms: Math.round(ms) }],
  };
}

/**
 * Whatever is in doubt now, the next session start makes certain. `isAnswered`: the next attempt is another one than that
 * which failed, so there is no reason to wait longer each time. `isSoonOver`: it is worth another look soon.
 */
function backOff(
  state: MirrorState,
  failure: Failure | null,
  jitter: number,
  { isAnswered = false, isSoonOver = false }: Partial<Pick<Heeded, 'isAnswered' | 'isSoonOver'>> = {},
): Step {
  if (state.stopping) return finish(state);
  const failures = isAnswered ? 0 : state.failures;
  const longestMs = isSoonOver ? limits.suspicionBackoffMsMax : limits.forwardBackoffMsMax;
  const ms = backoffMs(failure, failures, longestMs, jitter);
  return {
    state: {
      ...state,
      phase: 'backing-off',
      repeats: 0,
      failures: failures + 1,
      failure,
    },
    commands: [{ type: 'close' }, { type: 'sleep', ms }],
  };
}

function finish(state: MirrorState): Step {
  return {
    state: { ...state, phase: 'stopped' },
    commands: [{ type: 'close' }, { type: 'stop' }],
  };
}

/** From one phase to the next, unless somebody wants to stop. */
function proceed(state: MirrorState, from: Phase, to: Phase): Step {
  expectPhase(state, from);
  return state.stopping ? finish(state) : enter(state, to);
}

function enter(state: MirrorState, phase: Phase): Step {
  const entered = { ...state, phase, repeats: 0 };
  return { state: entered, commands: [question(entered, phase)] };
}

function question(state: MirrorState, phase: Phase): MirrorCommand {
  switch (phase) {
    case 'opening':
      return { type: 'open', pauses: state.care.pauses };
    case 'resuming':
      return { type: 'read-checkpoints' };
    case 'reading':
      return {
        type: 'read',
        positions: [...state.positions.slice(state.turn), ...state.positions.slice(0, state.turn)]
          .filter((position) => !isHeld(state.holds, position) && !isPaused(state.care.pauses, position))
          .map((position) => readPosition(state.care, position, batchBytesMaxOf(state.flushSize))),
        bytesMax: state.flushSize.bytes,
      };
    case 'remembering':
      return { type: 'remember', copies: copiesOf(state) };
    case 'sending':
      return { type: 'send', checkpoints: state.flush };
    case 'committing':
      return { type: 'commit' };
    case 'aborting':
      return { type: 'abort' };
    case 'waiting':
      return { type: 'wait' };
    case 'minting':
    case 'telling':
    case 'setting-aside':
    case 'lingering':
    case 'backing-off':
    case 'resting':
    case 'stopped':
      throw new Error(`broken assumption: ${phase} asks nothing`);
  }
}

/** What was confirmed since the last copies, and what is about to be. */
function copiesOf(state: MirrorState): readonly PartitionCopy[] {
  const { clusterId, positions, flush, unremembered } = state;
  const concerned = positions.filter((position) =>
    [...flush, ...unremembered].some((one) => isSame(one, position)),
  );
  return concerned.map((position) => {
    const sendingTo = flush.find((one) => isSame(one, position))?.nextOffset ?? position.nextOffset;
    return { ...position, clusterId, sendingTo: sendingTo > position.nextOffset ? sendingTo : null };
  });
}

const indexOf = (state: MirrorState, of: PartitionName): number =>
  state.positions.findIndex((position) => isSame(position, of));

function expectPhase(state: MirrorState, phase: Phase): void {
  assert(state.phase === phase, `the mirror is ${state.phase}, not ${phase}`);
}
