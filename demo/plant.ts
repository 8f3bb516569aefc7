import type { FindingKind } from '../src/anomaly/detection/finding.ts';
import { SimRandom } from '../test/support/sim-random.ts';
import type { DatedReading } from './recording.ts';

/** A sensor of the demo's plant, and all that it will send. */
export interface Sensor {
  /** As people call it. */
  readonly label: string;
  readonly device: string;
  readonly quantity: string;
  readonly readings: readonly DatedReading[];
  /** What goes wrong with it on purpose; null for what was recorded. */
  readonly fault: PlantedFault | null;
}

/** A fault in what is made up. */
export interface PlantedFault {
  readonly kind: FindingKind;
  /** What is done, in words. */
  readonly words: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The name by which alerts call the series of a sensor. */
export const seriesOf = ({ device, quantity }: Pick<Sensor, 'device' | 'quantity'>): string =>
  `plant:${device}:${quantity}`;

const day = 24 * 3600 * 1000;
const hour = 3600 * 1000;
const interval = 15 * 60 * 1000;

/** The devices that speak MQTT: one replays the recording, three made-up ones keep it company. */
export function plantSensors(recording: readonly DatedReading[]): readonly Sensor[] {
  const fromMs = recording[0]?.timeMs ?? 0;
  const toMs = recording.at(-1)?.timeMs ?? 0;
  const machine = { device: 'machine', quantity: 'temperature', readings: recording, fault: null };
  return [
    { label: 'machine temperature', ...machine },
    ...[hallHumidity, pumpVibration, compressorPressure].map((made) => made(fromMs, toMs)),
  ];
}

function hallHumidity(fromMs: number, toMs: number): Sensor {
  const fault = planted(
    'stuck',
    'its value stays the same for 18 hours',
    fromMs + 24 * day + 8 * hour,
    18 * hour,
  );
  const random = new SimRandom(1);
  const damp = wandering(random, 0.97, 0.6);
  let last = 0;
  const readings = times(fromMs, toMs).map((timeMs) => {
    const value = 48 + 7 * Math.cos((2 * Math.PI * (timeMs - 4 * hour)) / day) + damp();
    if (!isDuring(fault, timeMs)) last = rounded(value, 1);
    return { timeMs, value: last };
  });
  return { label: 'humidity of the hall', device: 'hall', quantity: 'humidity', readings, fault };
}

function pumpVibration(fromMs: number, toMs: number): Sensor {
  const fault = planted(
    'noise-up',
    'its mount is loose for two days: three times the noise',
    fromMs + 40 * day,
    2 * day,
  );
  const random = new SimRandom(2);
  const readings = times(fromMs, toMs).map((timeMs) => {
    const noise = 0.08 * normal(random) * (isDuring(fault, timeMs) ? 3 : 1);
    return { timeMs, value: rounded(2.4 + 0.2 * Math.sin((2 * Math.PI * timeMs) / day) + noise, 3) };
  });
  return { label: 'vibration of a pump', device: 'pump', quantity: 'vibration', readings, fault };
}

function compressorPressure(fromMs: number, toMs: number): Sensor {
  const fault = planted(
    'level-shift',
    'a valve stays open for a day: 1.5 bar less',
    fromMs + 55 * day + 3 * hour,
    day,
  );
  const random = new SimRandom(3);
  const load = wandering(random, 0.9, 0.05);
  const readings = times(fromMs, toMs).map((timeMs) => {
    const bar = 6.8 + load() + 0.04 * normal(random) - (isDuring(fault, timeMs) ? 1.5 : 0);
    return { timeMs, value: rounded(bar, 2) };
  });
  return { label: 'pressure of a compressor', device: 'compressor', quantity: 'pressure', readings, fault };
}

/** What a thermometer in a tank sends over a serial port: lines of JSON, with -127 in some of them, as a DS18B20 has it whose wire is broken. */
export function tankLines(): readonly string[] {
  const random = new SimRandom(4);
  const warmth = wandering(random, 0.98, 0.05);
  return Array.from({ length: 250 }, (_, number) => {
    const isBroken = number >= 160 && number < 165;
    const celsius = isBroken ? -127 : rounded(18.5 + warmth(), 2);
    return `${JSON.stringify({ celsius })}\n`;
  });
}

function planted(kind: FindingKind, words: string, fromMs: number, durationMs: number): PlantedFault {
  return { kind, words, fromMs, toMs: fromMs + durationMs };
}

const isDuring = ({ fromMs, toMs }: PlantedFault, timeMs: number): boolean =>
  timeMs >= fromMs && timeMs < toMs;

const times = (fromMs: number, toMs: number): readonly number[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / interval) + 1 }, (_, index) => fromMs + index * interval);

/** A value that wanders about zero: keeps a share of what it was, and gets some noise. */
function wandering(random: SimRandom, kept: number, noise: number): () => number {
  let value = 0;
  return () => {
    value = kept * value + noise * normal(random);
    return value;
  };
}

/** Normally distributed, by the method of Box and Muller. */
function normal(random: SimRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
