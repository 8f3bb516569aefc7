import { limits } from '../../core/limits.ts';
import type { ReceivedRecord } from '../../core/record.ts';
import { clockTopicName } from '../../core/topic-name.ts';
import type { ClockEpoch } from './clock-epoch.ts';

/**
 * What the topic `clock` tells of an epoch: how the clock was, and by how much the stamps of which earlier epochs of the same start of the machine
 * are moved since it is set. `known` are all epochs that the log knows.
 */
export function clockRecord(
  epoch: ClockEpoch,
  known: readonly ClockEpoch[],
  life: string,
  receivedMs: number,
): ReceivedRecord {
  const { ordinal, bootId, isSet, settingMs, startedMs } = epoch;
  const before = known.filter((one) => one.bootId === bootId && one.ordinal < ordinal);
  const lastSet = before.findLast((one) => one.isSet)?.ordinal ?? 0;
  const corrected = isSet ? before.filter((one) => one.ordinal > lastSet) : [];
  const row = {
    epoch: ordinal,
    boot: bootId,
    clock: isSet ? 'set' : 'not-set',
    began: new Date(settingMs + startedMs).toISOString(),
    corrected: corrected
      .slice(-limits.clockCorrectionsToldMax)
      .map((one) => ({ epoch: one.ordinal, shiftMs: settingMs - one.settingMs })),
  };
  return {
    topic: clockTopicName,
    key: Buffer.from(life),
    value: Buffer.from(JSON.stringify(row)),
    receivedMs,
    headers: [],
  };
}
