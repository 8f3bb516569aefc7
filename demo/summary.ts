import { durationText } from '../src/core/duration.ts';
import type { AlertEvent } from './anomaly-feed.ts';
import { type Sensor, seriesOf } from './plant.ts';
import { type DatedReading, failure, type LabelledMoment, labelledMoments } from './recording.ts';
import { plottedSeries } from './screen.ts';
import type { StoredCheck } from './stored-check.ts';
import { countText, momentText } from './styled-text.ts';

/** Something that the demo has shown, or has failed to. */
export interface Claim {
  readonly isShown: boolean;
  readonly text: string;
  /** What belongs to it, each on a line of its own. */
  readonly details: readonly string[];
}

/** What the run has shown. */
export function claims(
  raised: readonly AlertEvent[],
  sensors: readonly Sensor[],
  stored: StoredCheck,
): readonly Claim[] {
  const recording = sensors.find((sensor) => seriesOf(sensor) === plottedSeries)?.readings ?? [];
  return [failureClaim(raised, recording), faultClaim(raised, sensors), storedClaim(stored)];
}

function failureClaim(raised: readonly AlertEvent[], recording: readonly DatedReading[]): Claim {
  const ofMachine = raised.filter(({ series }) => series === plottedSeries);
  const alert = firstAbout(failure, ofMachine);
  const others = labelledMoments.filter((moment) => moment !== failure);
  const rest = [
    'Other moments that people have labelled in this recording:',
    ...others.map(
      (moment) => `${momentText(moment.timeMs)}  ${leadText(moment, firstAbout(moment, ofMachine))}`,
    ),
    `In all there were ${ofMachine.length} alerts about it. Whether the others were worth a look nobody has written down.`,
    'The detectors were developed with recordings of which this is one: it shows how they work, not how good they are.',
  ];
  if (alert === undefined || alert.timeMs >= failure.timeMs)
    return {
      isShown: false,
      text: 'NO alert came before the recorded failure of the machine.',
      details: rest,
    };
  const atFailure = recording.find(({ timeMs }) => timeMs === failure.timeMs)?.value;
  return {
    isShown: true,
    text: `An alert came ${leadOf(failure, alert)} before the recorded failure of the machine.`,
    details: [
      `${momentText(alert.timeMs)}  ${alert.message}`,
      `${momentText(failure.timeMs)}  the failure, as people have labelled it; the temperature is ${atFailure} then`,
      ...rest,
    ],
  };
}

/** The first alert in the time around a moment. */
const firstAbout = (
  { fromMs, toMs }: LabelledMoment,
  raised: readonly AlertEvent[],
): AlertEvent | undefined => raised.find(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs);

const leadOf = (moment: LabelledMoment, alert: AlertEvent): string =>
  durationText(Math.abs(moment.timeMs - alert.timeMs) / 1000);

function leadText(moment: LabelledMoment, alert: AlertEvent | undefined): string {
  if (alert === undefined) return 'no alert in the time around it';
  return `an alert ${leadOf(moment, alert)} ${alert.timeMs < moment.timeMs ? 'before' : 'after'} it`;
}

const tankFault = {
  label: 'a tank, by serial port and in real time',
  words: 'it sends -127, as a sensor does whose wire is broken',
};

function faultClaim(raised: readonly AlertEvent[], sensors: readonly Sensor[]): Claim {
  const rows = sensors.flatMap((sensor) => {
    const { fault, label } = sensor;
    if (fault === null) return [];
    const alert = raised.find(
      ({ series, kind, timeMs }) =>
        series === seriesOf(sensor) && kind === fault.kind && timeMs >= fault.fromMs,
    );
    const after = alert && durationText((alert.timeMs - fault.fromMs) / 1000);
    return [{ label, words: fault.words, found: alert && `"${alert.kind}" after ${after}` }];
  });
  const sentinel = raised.find(
    ({ series, kind }) => series.startsWith('readings:tank:') && kind === 'sentinel',
  );
  const all = [...rows, { ...tankFault, found: sentinel && '"sentinel" at once' }];
  const found = all.filter((row) => row.found !== undefined);
  return {
    isShown: found.length === all.length,
    text: `${found.length} of ${all.length} faults that were planted into made-up series were found by name.`,
    details: all.map(
      (row) =>
        `${row.label}: ${row.words}. ${row.found === undefined ? 'NOT found' : `Found: ${row.found}`}.`,
    ),
  };
}

function storedClaim({ overMqtt, acknowledged, overSerial, differences }: StoredCheck): Claim {
  const isShown = differences.length === 0 && overMqtt === acknowledged;
  return {
    isShown,
    text: `${countText(overMqtt)} readings were sent over MQTT, ${countText(acknowledged)} of them acknowledged, and ${countText(overSerial)} lines over the serial port: ${isShown ? 'read back, the log has each of them once, in order, as it was sent.' : 'the log has something ELSE.'}`,
    details: differences,
  };
}
