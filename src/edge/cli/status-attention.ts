import { durationText } from '../../core/duration.ts';
import { limits } from '../../core/limits.ts';
import { deadLettersTopicName, gapsTopicName } from '../../core/topic-name.ts';
import type { StatusReport } from '../status.ts';
import { counted } from './amounts.ts';
import { storedRecords } from './topic-rows.ts';

/**
 * What somebody has to look at, the worst first, each in a sentence with what to do; empty if all is well. What keeps the gateway
 * from taking readings is not in it: that is its state. `nowMs` is the wall clock.
 */
export function attention(report: StatusReport, nowMs: number): readonly string[] {
  return [
    ...loginProblems(report, nowMs),
    ...storageProblems(report),
    ...sourceProblems(report),
    ...mirrorProblems(report),
    ...(report.clock.isSet
      ? []
      : ['the clock is not set: let this device reach a time server (headwater doctor looks at it)']),
    ...alertProblems(report),
    ...toRead(report),
  ];
}

function loginProblems({ users, tls, admin }: StatusReport, nowMs: number): readonly string[] {
  const validTo = tls?.validToMs ?? null;
  return [
    ...(users.problem === null ? [] : [`nobody can log in: ${users.problem}`]),
    ...(admin.problem === null ? [] : [admin.problem]),
    ...(tls?.problems ?? []),
    ...(admin.tls?.problems ?? []),
    ...(validTo === null || validTo > nowMs + limits.certificateWarningMs
      ? []
      : [
          validTo <= nowMs
            ? `the certificate of the MQTT ports has expired: renew ${tls?.certificateFile}`
            : `the certificate of the MQTT ports ends in ${durationText((validTo - nowMs) / 1000)}: renew ${tls?.certificateFile}`,
        ]),
  ];
}

function storageProblems({ log, forwarder, card }: StatusReport): readonly string[] {
  const isNearlyFull = log.usedBytes > limits.budgetWarningShare * log.budgetBytes;
  const life = card.device?.life ?? null;
  const wornShare = life?.usedShareMax ?? card.usedShare;
  return [
    ...(isNearlyFull && forwarder !== null && forwarder.lagRecords > 0
      ? [
          `the disk budget is nearly used up, and ${counted(forwarder.lagRecords, 'record has', 'records have')} yet to be sent: the oldest will be lost. ` +
            'Mend the link to the cluster, or raise data.budget',
        ]
      : []),
    ...(wornShare >= limits.cardWarningShare
      ? [`the card is nearly worn out (${Math.round(100 * wornShare)} %): replace it`]
      : []),
  ];
}

function sourceProblems({ serial, modbus, mqtt }: StatusReport): readonly string[] {
  const because = (error: { readonly message: string } | null): string =>
    error === null ? '' : `: ${error.message}`;
  return [
    ...serial.flatMap(({ name, state, lastError }) => {
      if (state === 'open') return [];
      if (state === 'stalled')
        return [`nothing comes from serial port ${name}, though it is open: look at the device and its baud`];
      return [`serial port ${name} is ${state}${because(lastError)}`];
    }),
    ...modbus.flatMap(({ name, state, lastError, units }) => [
      ...(state === 'open' ? [] : [`Modbus bus ${name} is ${state}${because(lastError)}`]),
      ...units
        .filter((unit) => unit.state === 'silent')
        .map((unit) => `Modbus unit ${unit.name} of ${name} does not answer: look at its power and wiring`),
      ...units
        .filter(({ failing }) => failing.length > 0)
        .map(
          (unit) => `Modbus unit ${unit.name} of ${name} gives no ${unit.failing.length} of its registers`,
        ),
    ]),
    ...mqtt.sources.flatMap(({ name, state, lastError, refusedTopics }) => [
      ...(state === 'connected' ? [] : [`broker ${name} is ${state}${because(lastError)}`]),
      ...(refusedTopics.length === 0
        ? []
        : [`broker ${name} refuses ${refusedTopics.join(' ')}: let its user read that`]),
    ]),
  ];
}

function mirrorProblems({ forwarder }: StatusReport): readonly string[] {
  if (forwarder === null) return [];
  const { isStale, lagRecords, message, state, warnings } = forwarder;
  if (isStale)
    return [
      `${counted(lagRecords, 'record waits', 'records wait')}, and none leave: ${message}`,
      ...warnings,
    ];
  if (state === 'stopped' || state === 'backing-off') return [`the mirror: ${message}`, ...warnings];
  return warnings;
}

function alertProblems({ anomaly }: StatusReport): readonly string[] {
  if (anomaly === null) return [];
  const { alerts, evicted, seriesMax } = anomaly;
  const open = Object.values(alerts.open).reduce((sum, count) => sum + count, 0);
  return [
    ...(open === 0 ? [] : [`${counted(open, 'alert is open', 'alerts are open')}: headwater alerts list`]),
    ...(evicted === 0
      ? []
      : [`${evicted} series are no longer watched: there are more than anomaly.seriesMax (${seriesMax})`]),
  ];
}

/** Topics that hold nothing while all is well. */
function toRead({ topics }: StatusReport): readonly string[] {
  const sentences = [
    [gapsTopicName, 'entry in the ledger of losses', 'entries in the ledger of losses'],
    [deadLettersTopicName, 'message that could not be read', 'messages that could not be read'],
  ] as const;
  return sentences.flatMap(([name, one, many]) => {
    const records = topics
      .filter((topic) => topic.name === name)
      .reduce((sum, topic) => sum + storedRecords(topic), 0);
    if (records === 0) return [];
    return [`${counted(records, one, many)}: headwater consume ${name} --from-beginning`];
  });
}
