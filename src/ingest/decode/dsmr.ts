import type { Decoded } from './decoder.ts';
import { decodedObject, type JsonMembers, numberJson } from './json-object.ts';
import { utf8Text } from './text.ts';

type Kind = 'number' | 'text' | 'time';

/** What codes of OBIS (IEC 62056-61) are called, and for numbers in which unit they come; '' for a number without one. */
const names: Readonly<Record<string, readonly [name: string, kind: Kind, unit?: string]>> = {
  '1-3:0.2.8': ['version', 'text'],
  '0-0:96.1.4': ['version', 'text'],
  '0-0:1.0.0': ['time', 'time'],
  '0-0:96.1.1': ['meter_id', 'text'],
  '0-0:96.14.0': ['tariff', 'number', ''],
  '1-0:1.8.0': ['energy_delivered', 'number', 'kWh'],
  '1-0:1.8.1': ['energy_delivered_tariff1', 'number', 'kWh'],
  '1-0:1.8.2': ['energy_delivered_tariff2', 'number', 'kWh'],
  '1-0:2.8.0': ['energy_returned', 'number', 'kWh'],
  '1-0:2.8.1': ['energy_returned_tariff1', 'number', 'kWh'],
  '1-0:2.8.2': ['energy_returned_tariff2', 'number', 'kWh'],
  '1-0:1.4.0': ['demand', 'number', 'kW'],
  '1-0:1.7.0': ['power_delivered', 'number', 'kW'],
  '1-0:2.7.0': ['power_returned', 'number', 'kW'],
  '1-0:21.7.0': ['power_delivered_l1', 'number', 'kW'],
  '1-0:41.7.0': ['power_delivered_l2', 'number', 'kW'],
  '1-0:61.7.0': ['power_delivered_l3', 'number', 'kW'],
  '1-0:22.7.0': ['power_returned_l1', 'number', 'kW'],
  '1-0:42.7.0': ['power_returned_l2', 'number', 'kW'],
  '1-0:62.7.0': ['power_returned_l3', 'number', 'kW'],
  '1-0:32.7.0': ['voltage_l1', 'number', 'V'],
  '1-0:52.7.0': ['voltage_l2', 'number', 'V'],
  '1-0:72.7.0': ['voltage_l3', 'number', 'V'],
  '1-0:31.7.0': ['current_l1', 'number', 'A'],
  '1-0:51.7.0': ['current_l2', 'number', 'A'],
  '1-0:71.7.0': ['current_l3', 'number', 'A'],
  '0-0:96.7.21': ['power_failures', 'number', ''],
  '0-0:96.7.9': ['long_power_failures', 'number', ''],
};

/** What hangs on the meter by M-Bus, by the type that `0-n:24.1.0` tells (EN 13757-3): what it counts, and in which unit. */
const attached: Readonly<Record<number, readonly [name: string, unit: string]>> = {
  3: ['gas', 'm3'],
  4: ['heat', 'GJ'],
  7: ['water', 'm3'],
};

const line = /^(\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3})(\(.*\))$/;

/** A code, and what stands in its parentheses. */
interface Coded {
  readonly code: string;
  readonly values: readonly string[];
}

/**
 * A frame is one telegram of a smart meter's port P1 (DSMR 2.2 to 5, ESMR, Fluvius): `/`, the meter's name, lines of codes with
 * values, `!`. Energy is in kWh, power and demand in kW, voltage in V, current in A; `delivered` is to the customer, `returned`
 * by them. `gas` and `water` are in m³, `heat` in GJ, each with the time of its reading. Other codes keep their names: with
 * a unit as a number, without one as text. The checksum is the framer's to check.
 */
export function decodeDsmr(frame: Uint8Array): Decoded {
  const text = utf8Text(frame);
  if (text === null) return { problem: 'not-utf-8' };
  const lines = text.split('\n').map((one) => one.trim());
  const last = lines.findIndex((one) => one.startsWith('!'));
  if (!lines[0]?.startsWith('/') || last === -1) return { problem: 'not-a-telegram' };
  const objects = whole(lines.slice(1, last)).flatMap((one): Coded[] => {
    const [, code, values] = line.exec(one) ?? [];
    return code === undefined || values === undefined
      ? []
      : [{ code, values: values.slice(1, -1).split(')(') }];
  });
  const types = new Map(
    objects.flatMap(({ code, values }) => {
      const [, channel] = /^0-(\d+):24\.1\.0$/.exec(code) ?? [];
      return channel === undefined ? [] : [[channel, Number(values[0])] as const];
    }),
  );
  const members: JsonMembers = new Map([['meter', JSON.stringify(lines[0].slice(1))]]);
  if (objects.length === 0) return { problem: 'no-values' };
  for (const object of objects) enter(members, object, types);
  return decodedObject(members);
}

/** Before DSMR 4, the count of what hangs on the meter stands on a line of its own, below its code. */
function whole(lines: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const one of lines) {
    if (one.startsWith('(') && joined.length > 0) joined[joined.length - 1] += one;
    else joined.push(one);
  }
  return joined;
}

function enter(members: JsonMembers, object: Coded, types: ReadonlyMap<string, number>): void {
  const { code, values } = object;
  const timed = timedValue(object, types);
  if (timed !== null) {
    // Two of a kind are told apart by the channel.
    const name = members.has(timed.name) ? `${timed.name}_${timed.channel}` : timed.name;
    members.set(name, timed.json);
    if (timed.time !== null) members.set(`${name}_time`, timed.time);
    return;
  }
  const [name, json] = namedValue(code, values) ?? [code, otherValue(values)];
  members.set(name, json);
}

interface Timed {
  readonly name: string;
  readonly channel: string;
  /** The value, and when it was so, as JSON. */
  readonly json: string;
  readonly time: string | null;
}

/** A value with a time of its own: the count of what hangs on the meter, or the highest demand of a month. Null for anything else. */
function timedValue({ code, values }: Coded, types: ReadonlyMap<string, number>): Timed | null {
  const [, channel = '0', kind] = /^0-(\d+):24\.(2\.[13]|3\.0)$/.exec(code) ?? [];
  const [name, unit] =
    code === '1-0:1.6.0' ? ['demand_max', 'kW'] : (kind && attached[types.get(channel) ?? 0]) || [];
  // A profile of one value: time, status, minutes, how many, of which code, in which unit; and the value.
  const [time, written] =
    kind === '3.0' && values.length === 7 ? [values[0], `${values[6]}*${values[5]}`] : values;
  if (name === undefined || time === undefined || written === undefined) return null;
  const count = measured(written);
  if (count === null || count.unit !== unit) return null;
  return { name, channel, json: count.json, time: timeJson(time) };
}

/** Null for a code without a name, or a value that is not what it should be. */
function namedValue(code: string, values: readonly string[]): readonly [name: string, json: string] | null {
  const [name, kind, unit] = names[code] ?? [];
  const [value = '', more] = values;
  if (name === undefined || more !== undefined) return null;
  if (kind === 'text') return [name, JSON.stringify(value)];
  if (kind === 'time') {
    const time = timeJson(value);
    return time === null ? null : [name, time];
  }
  const number = measured(value);
  return number === null || number.unit !== unit ? null : [name, number.json];
}

function otherValue(values: readonly string[]): string {
  const number = values.length === 1 ? measured(values[0] ?? '') : null;
  return number === null || number.unit === '' ? JSON.stringify(values.join(')(')) : number.json;
}

/** `000123.456*kWh`. */
function measured(value: string): { readonly json: string; readonly unit: string } | null {
  const star = value.indexOf('*');
  const json = numberJson(star === -1 ? value : value.slice(0, star));
  return json === null ? null : { json, unit: star === -1 ? '' : value.slice(star + 1) };
}

/** What is ahead of UTC in Central Europe, in summer and in winter; before DSMR 4 meters do not say which it is. */
const offsets: Readonly<Record<string, string>> = { S: '+02:00', W: '+01:00', '': '' };

/** `101209113020W` as JSON. Null if it is no time, such as `632525252525S`, which stands for none. */
function timeJson(value: string): string | null {
  const parts = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW]?)$/.exec(value);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second, season = ''] = parts;
  const time = `20${year}-${month}-${day}T${hour}:${minute}:${second}${offsets[season]}`;
  return Number.isNaN(Date.parse(time)) ? null : JSON.stringify(time);
}
