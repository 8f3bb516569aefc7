import { DAY_MS, deviate } from '../test/anomaly/learned/synthetic.ts';
import type { SimRandom } from '../test/support/sim-random.ts';

const HOUR_MS = DAY_MS / 24;

/** The value at a time; the times come in order. */
type Course = (timeMs: number) => number;

const daily = (timeMs: number): number => Math.sin((2 * Math.PI * timeMs) / DAY_MS);
const hourOf = (timeMs: number): number => (timeMs / HOUR_MS) % 24;
/** 1970 began with a Thursday. */
const isWorkday = (timeMs: number): boolean => (Math.floor(timeMs / DAY_MS) + 4) % 7 < 5;

/** A value that remembers itself by `memory`, and is moved by noise. */
function wander(random: SimRandom, memory: number, noise: number): () => number {
  let value = 0;
  return () => {
    value = memory * value + noise * deviate(random);
    return value;
  };
}

function poisson(random: SimRandom, mean: number): number {
  const end = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > end; product *= random.next()) count++;
  return count;
}

function machine(random: SimRandom): Course {
  let isOn = false;
  let left = 0;
  return () => {
    if (--left <= 0) {
      isOn = !isOn;
      left = 5 + random.below(isOn ? 60 : 30);
    }
    return (isOn ? 50 : 2) + deviate(random);
  };
}

function shiftMachine(random: SimRandom): Course {
  let isOn = false;
  return (timeMs) => {
    const isShift = isWorkday(timeMs) && hourOf(timeMs) > 7 && hourOf(timeMs) < 17;
    if (random.chance(0.03)) isOn = random.chance(0.8);
    isOn &&= isShift;
    return (isOn ? 80 : 3) + 0.5 * deviate(random);
  };
}

function office(random: SimRandom): Course {
  return (timeMs) => {
    const people = isWorkday(timeMs) ? Math.exp(-(((hourOf(timeMs) - 13) / 4) ** 2)) : 0;
    return 400 + 500 * people + 15 * deviate(random);
  };
}

function tank(random: SimRandom): Course {
  let level = 100;
  return () => {
    level -= 0.2 + 0.05 * deviate(random);
    if (level < 20) level = 100;
    return level;
  };
}

function setpoint(random: SimRandom): Course {
  let value = 21.5;
  return () => {
    if (random.chance(0.0005)) value = Math.round(200 + 5 * deviate(random)) / 10;
    return value;
  };
}

/** Series in which nothing is wrong, by what they are like. */
export const healthySeries: Readonly<Record<string, (random: SimRandom) => Course>> = {
  'a daily course with noise': (random) => (timeMs) => 20 + 5 * daily(timeMs) + 0.3 * deviate(random),
  'a daily course that wanders': (random) => {
    const wandering = wander(random, 0.95, 0.3);
    return (timeMs) => 20 + 5 * daily(timeMs) + wandering();
  },
  'a daily course in steps of 0.1': (random) => {
    const wandering = wander(random, 0.99, 0.03);
    return (timeMs) => Math.round(10 * (20 + 3 * daily(timeMs) + wandering())) / 10;
  },
  'a random walk': (random) => wander(random, 1, 1),
  'a slow walk in bounds': (random) => wander(random, 0.9995, 0.1),
  'white noise': (random) => () => deviate(random),
  'a heavy tail': (random) => () => Math.exp(1.2 * deviate(random)),
  'a machine, on and off': machine,
  'a machine, in day shifts': shiftMachine,
  'an office, five days a week': office,
  'counts of events': (random) => (timeMs) => poisson(random, 2 + 1.5 * daily(timeMs)),
  'a meter that counts up': (random) => {
    let count = 0;
    return () => {
      count += random.below(5);
      return count;
    };
  },
  'a tank, emptied and filled': tank,
  'a constant': () => () => 21.5,
  'a set point, rarely changed': setpoint,
};
