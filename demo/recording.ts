import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** A value with the time at which it was measured, milliseconds since 1970 UTC. */
export interface DatedReading {
  readonly timeMs: number;
  readonly value: number;
}

/** A moment that people have labelled as an anomaly in a recording, and the time around it in which an alert counts as being about it. */
export interface LabelledMoment {
  readonly timeMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const file = new URL('./recording/machine-temperature.csv.gz', import.meta.url);

/** The temperature of a part of a large machine, as it was recorded every five minutes until after its failure. See `demo/recording/README.md`. */
export async function readRecording(): Promise<readonly DatedReading[]> {
  const text = (await promisify(gunzip)(await readFile(file))).toString('utf8');
  const [, ...rows] = text.trimEnd().split('\n');
  return rows.map((row) => {
    const [time = '', value = ''] = row.split(',');
    return { timeMs: Date.parse(`${time.replace(' ', 'T')}Z`), value: Number(value) };
  });
}

const labelled = (moment: string, from: string, to: string): LabelledMoment => ({
  timeMs: Date.parse(moment),
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
});

/** The failure of the machine. */
export const failure = labelled('2014-02-08T14:30Z', '2014-02-07T14:55Z', '2014-02-09T14:05Z');

/** All that people have labelled in the recording. Only the summary looks at them. */
export const labelledMoments: readonly LabelledMoment[] = [
  labelled('2013-12-11T06:00Z', '2013-12-10T06:25Z', '2013-12-12T05:35Z'),
  labelled('2013-12-16T17:25Z', '2013-12-15T17:50Z', '2013-12-17T17:00Z'),
  labelled('2014-01-28T13:55Z', '2014-01-27T14:20Z', '2014-01-29T13:30Z'),
  failure,
];
