import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import {
  type Alert,
  type AlertReading,
  type AlertSubject,
  beginningAlert,
  plainText,
  severityOf,
  withFinding,
} from './alert.ts';
import { alertDelays } from './alert-delays.ts';
import type { AlertChange, Telling } from './verdict.ts';

/** An alert with what decides about its next state. Nothing else does: what is kept of it is this. */
export interface AlertLife {
  readonly alert: Alert;
  /** While pending: at which of the last readings it was found, the latest in the lowest bit. */
  readonly foundBits: number;
  /** While clearing: readings in a row at which it was not, no more of them than matter, and the time of the first. */
  readonly quietReadings: number;
  readonly quietSinceMs: number;
  /** Whether it has been told as raised; one that becomes active on the shelf is not. */
  readonly isTold: boolean;
}

/** A reading, or a missing one, at which it was found. */
interface FoundEvent {
  readonly type: 'found';
  readonly subject: AlertSubject;
  readonly model: string | null;
  readonly reading: AlertReading;
  /** When it was found: at the reading, or at the tick at which one was missing. */
  readonly timeMs: number;
  readonly finding: Finding;
  /** Series that it stands for; 0 for one that speaks for itself. */
  readonly standsFor: number;
}

/** What can happen to an alert that there is. */
type LaterEvent =
  /** A reading at which it was not found. */
  | { readonly type: 'quiet'; readonly timeMs: number }
  /** Of what it stands for, a part has recovered; it is cleared when that is so old. */
  | { readonly type: 'recovering'; readonly nowMs: number; readonly offMs: number }
  /** What it is about is over, or not watched any more. */
  | { readonly type: 'ended'; readonly nowMs: number }
  /** An alert that stands for it as well is open. */
  | { readonly type: 'suppressed'; readonly nowMs: number }
  | { readonly type: 'time'; readonly nowMs: number }
  | { readonly type: 'acknowledge'; readonly nowMs: number; readonly by: string }
  | { readonly type: 'shelve'; readonly nowMs: number; readonly untilMs: number }
  | { readonly type: 'unshelve'; readonly nowMs: number };

/** What can happen. */
export type AlertEvent = FoundEvent | LaterEvent;

/** What has become of an alert (null: normal, nothing is kept), and what is to be told. */
export interface AlertStep {
  readonly life: AlertLife | null;
  readonly told: readonly Telling[];
}

/**
 * The life of an alert, one step: normal → pending → active → clearing → cleared, with the delays of its kind. A function of the
 * life and the event alone.
 */
export function stepAlert(life: AlertLife | null, event: AlertEvent): AlertStep {
  if (event.type === 'found') return found(life, event);
  return life === null ? nothing(null) : stepLife(life, event);
}

function stepLife(life: AlertLife, event: LaterEvent): AlertStep {
  switch (event.type) {
    case 'quiet':
      return quiet(life, event.timeMs);
    case 'recovering':
      return isOpen(life)
        ? clearedIfDue(clearing(life, 1, event.nowMs), event.nowMs, 1, event.offMs)
        : nothing(life);
    case 'ended':
      return isOpen(life) ? ended(life, event.nowMs, 'cleared') : nothing(shelfOf(life, event.nowMs));
    case 'suppressed':
      return isOpen(life) ? ended(life, event.nowMs, 'suppressed') : nothing(shelfOf(life, event.nowMs));
    case 'time':
      return timePassed(life, event.nowMs);
    case 'acknowledge':
      return acknowledged(life, event.nowMs, event.by);
    case 'shelve':
      return shelved(life, event.nowMs, event.untilMs);
    case 'unshelve':
      return unshelved(life, event.nowMs);
  }
}

/** Whether something is wrong now, as far as the alert says: raised, and not cleared. */
export const isOpen = ({ alert: { state } }: AlertLife): boolean =>
  state === 'active' || state === 'clearing';

const nothing = (life: AlertLife | null): AlertStep => ({ life, told: [] });

const step = (life: AlertLife, change: AlertChange, timeMs: number): AlertStep => ({
  life,
  told: [{ change, alert: life.alert, timeMs }],
});

function found(life: AlertLife | null, event: FoundEvent): AlertStep {
  const { reading, timeMs, finding } = event;
  if (life !== null && isOpen(life)) return nothing(foundAgain(life, reading, finding));
  const pending = life?.alert.state === 'pending' ? life : begun(life, event);
  const { onReadings, ofReadings, onMs } = alertDelays[finding.kind];
  const foundBits = lastBits((pending.foundBits << 1) | 1, ofReadings);
  const isDue = bitCount(foundBits) >= onReadings && timeMs - pending.alert.startedMs >= onMs;
  if (!isDue) return nothing({ ...pending, foundBits });
  const alert: Alert = {
    ...withFinding(pending.alert, reading, finding),
    state: 'active',
    detectedMs: timeMs,
  };
  const raised = { ...pending, alert, foundBits: 0 };
  return alert.shelvedUntilMs === null
    ? step({ ...raised, isTold: true }, 'raised', timeMs)
    : nothing(raised);
}

/** A new alert; it inherits the place on the shelf of the one before it. */
function begun(
  shelf: AlertLife | null,
  { subject, model, reading, finding, standsFor }: FoundEvent,
): AlertLife {
  const shelvedUntilMs = shelf?.alert.shelvedUntilMs ?? null;
  const beginning = beginningAlert(subject, finding.kind, model, reading);
  const alert = { ...beginning, shelvedUntilMs, suppressed: standsFor };
  return { alert, foundBits: 0, quietReadings: 0, quietSinceMs: 0, isTold: false };
}

/** Worse than before, it has the new finding. The same life, if nothing has changed: what has not, is not stored again. */
function foundAgain(life: AlertLife, reading: AlertReading, finding: Finding): AlertLife {
  const isWorse = severityOf(finding) > life.alert.severity;
  const isBack = life.alert.state === 'clearing';
  if (!isWorse && !isBack) return life;
  const alert = isWorse ? withFinding(life.alert, reading, finding) : life.alert;
  if (!isBack) return { ...life, alert };
  const suppressed = alert.suppressed + 1;
  return { ...life, alert: { ...alert, state: 'active', suppressed }, quietReadings: 0, quietSinceMs: 0 };
}

function quiet(life: AlertLife, timeMs: number): AlertStep {
  const { kind, state } = life.alert;
  const { ofReadings, offReadings, offMs } = alertDelays[kind];
  if (state === 'cleared') return nothing(life);
  if (state === 'pending') {
    const foundBits = lastBits(life.foundBits << 1, ofReadings);
    return nothing(foundBits === 0 ? shelfOf(life, timeMs) : { ...life, foundBits });
  }
  return clearedIfDue(clearing(life, offReadings, timeMs), timeMs, offReadings, offMs);
}

/** One more quiet reading, of which `readingsMax` count. A clock that was set back does not keep it waiting. */
function clearing(life: AlertLife, readingsMax: number, timeMs: number): AlertLife {
  const isFirst = life.alert.state === 'active';
  const quietSinceMs = isFirst ? timeMs : Math.min(life.quietSinceMs, timeMs);
  const quietReadings = isFirst ? 1 : Math.min(life.quietReadings + 1, readingsMax);
  const isSame = !isFirst && quietSinceMs === life.quietSinceMs && quietReadings === life.quietReadings;
  return isSame
    ? life
    : { ...life, alert: { ...life.alert, state: 'clearing' }, quietReadings, quietSinceMs };
}

function clearedIfDue(life: AlertLife, timeMs: number, offReadings: number, offMs: number): AlertStep {
  const isDue = life.quietReadings >= offReadings && timeMs - life.quietSinceMs >= offMs;
  return isDue ? ended(life, timeMs, 'cleared') : nothing(life);
}

function ended(life: AlertLife, timeMs: number, change: 'cleared' | 'suppressed'): AlertStep {
  const shelf = shelfOf(life, timeMs);
  const alert = { ...life.alert, state: 'cleared' as const, clearedMs: timeMs };
  return { life: shelf, told: life.isTold ? [{ change, alert, timeMs }] : [] };
}

/** What is left of an alert that is over: its place on the shelf, if it has one. */
function shelfOf(life: AlertLife, timeMs: number): AlertLife | null {
  const { alert } = life;
  if (alert.shelvedUntilMs === null) return null;
  if (alert.state === 'cleared') return life;
  const cleared = { ...alert, state: 'cleared' as const, clearedMs: timeMs };
  return { alert: cleared, foundBits: 0, quietReadings: 0, quietSinceMs: 0, isTold: false };
}

/** Only readings clear an alert: when somebody looked must not decide what is told, or a crash would change it. */
function timePassed(life: AlertLife, nowMs: number): AlertStep {
  const { shelvedUntilMs } = life.alert;
  return shelvedUntilMs !== null && nowMs >= shelvedUntilMs ? unshelved(life, nowMs) : nothing(life);
}

function acknowledged(life: AlertLife, nowMs: number, by: string): AlertStep {
  if (!isOpen(life) || life.alert.acknowledgedMs !== null) return nothing(life);
  const acknowledgedBy = plainText(by, limits.alertActorBytesMax);
  return step(
    { ...life, alert: { ...life.alert, acknowledgedMs: nowMs, acknowledgedBy } },
    'acknowledged',
    nowMs,
  );
}

function shelved(life: AlertLife, nowMs: number, shelvedUntilMs: number): AlertStep {
  if (life.alert.state === 'pending' && life.alert.shelvedUntilMs === null) return nothing(life);
  return step({ ...life, alert: { ...life.alert, shelvedUntilMs } }, 'shelved', nowMs);
}

/** What was raised on the shelf is told now. A pending one begins anew with its next finding. */
function unshelved(life: AlertLife, nowMs: number): AlertStep {
  if (life.alert.shelvedUntilMs === null) return nothing(life);
  const back = { ...life, alert: { ...life.alert, shelvedUntilMs: null } };
  if (isOpen(life)) return step({ ...back, isTold: true }, life.isTold ? 'unshelved' : 'raised', nowMs);
  return { life: null, told: [{ change: 'unshelved', alert: back.alert, timeMs: nowMs }] };
}

const lastBits = (bits: number, count: number): number => (count >= 32 ? bits : bits & ((1 << count) - 1));

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
