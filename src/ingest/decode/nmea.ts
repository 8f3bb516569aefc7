import { type Packet, parseUnsafeNmeaSentence } from 'nmea-simple';
import type { Decoded } from './decoder.ts';
import { decodedObject, valueJson } from './json-object.ts';
import { utf8Text } from './text.ts';

/** A value with the numbers of the fields that it comes from: it counts only if none of them is empty. */
type Row = readonly [name: string, value: number | string | undefined, ...fields: number[]];

type Sentence = Packet['sentenceId'];

/** What is taken of each kind of sentence. The library reads empty fields as zero: hence the numbers of fields. */
const sentences: {
  readonly [Id in Sentence]?: (
    packet: Extract<Packet, { sentenceId: Id }>,
    fields: readonly string[],
  ) => readonly Row[];
} = {
  GGA: (packet, fields) => [
    ['time', timeOfDay(fields[1]), 1],
    ...position(packet, 2),
    ['fix_type', packet.fixType, 6],
    ['satellites_used', packet.satellitesInView, 7],
    ['hdop', packet.horizontalDilution, 8],
    ['altitude', packet.altitudeMeters, 9],
    ['geoid_separation', packet.geoidalSeperation, 11],
  ],
  GNS: (packet, fields) => [
    ['time', timeOfDay(fields[1]), 1],
    ...position(packet, 2),
    ['mode', packet.modeIndicator, 6],
    ['satellites_used', packet.satellitesInView, 7],
    ['hdop', packet.horizontalDilution, 8],
    ['altitude', packet.altitudeMeters, 9],
    ['geoid_separation', packet.geoidalSeperation, 10],
  ],
  GLL: (packet, fields) => [
    ...position(packet, 1),
    ['time', timeOfDay(fields[5]), 5],
    ['status', packet.status, 6],
  ],
  RMC: (packet) => [
    ['time', isoTime(packet.datetime), 1, 9],
    ['status', packet.status, 2],
    ...position(packet, 3),
    ['speed_knots', packet.speedKnots, 7],
    ['course_true', packet.trackTrue, 8],
    ['variation', signed(packet.variation, packet.variationPole), 10, 11],
  ],
  VTG: (packet) => [
    ['course_true', packet.trackTrue, 1],
    ['course_magnetic', packet.trackMagnetic, 3],
    ['speed_knots', packet.speedKnots, 5],
    ['speed_kmh', packet.speedKmph, 7],
  ],
  GSA: (packet) => [
    ['fix_mode', packet.fixMode, 2],
    ['pdop', packet.PDOP, 15],
    ['hdop', packet.HDOP, 16],
    ['vdop', packet.VDOP, 17],
  ],
  // Each system of satellites sends its own.
  GSV: (packet) => [[`satellites_in_view_${packet.talkerId ?? ''}`, packet.satellitesInView, 3]],
  GST: (packet, fields) => [
    ['time', timeOfDay(fields[1]), 1],
    ['range_rms', packet.totalRms, 2],
    ['latitude_error', packet.latitudeError, 6],
    ['longitude_error', packet.longitudeError, 7],
    ['altitude_error', packet.altitudeError, 8],
  ],
  ZDA: (packet) => [['time', isoTime(packet.datetime), 1, 2, 3, 4]],
  HDT: (packet) => [['heading_true', packet.heading, 1]],
  HDM: (packet) => [['heading_magnetic', packet.heading, 1]],
  HDG: (packet) => [
    ['heading_sensor', packet.heading, 1],
    ['deviation', signed(packet.deviation, packet.deviationDirection), 2, 3],
    ['variation', signed(packet.variation, packet.variationDirection), 4, 5],
  ],
  VHW: (packet) => [
    ['heading_true', packet.degreesTrue, 1],
    ['heading_magnetic', packet.degreesMagnetic, 3],
    ['water_speed_knots', packet.speedKnots, 5],
  ],
  DBT: (packet) => [['depth_meters', packet.depthMeters, 3]],
  MWV: ({ windAngle, reference, speed, units, status }) => [
    [`wind_angle_${reference}`, windAngle, 1, 2],
    [`wind_speed_${reference}_${speedUnits[units] ?? 'knots'}`, speed, 3, 4],
    ['status', status, 5],
  ],
};

const speedUnits: Readonly<Record<string, string>> = { K: 'kmh', M: 'ms', N: 'knots' };

/**
 * A frame is one sentence of NMEA 0183 with its checksum: positions in degrees (south and west negative), angles in
 * degrees, lengths in metres, speeds in the unit of their name. Sentences of other kinds have their `fields` as they
 * are. What a receiver leaves empty is left out: without a fix there is no position. What begins a sentence is nowhere
 * inside of one, so two that have run together are none, though one such pair in 256 fits the checksum.
 */
export function decodeNmea(frame: Uint8Array): Decoded {
  const text = utf8Text(frame)?.trim();
  if (text === undefined) return { problem: 'not-utf-8' };
  if (!/^[$!][A-Z][A-Z0-9]{2,}(?:,[^*$!]*)?\*[0-9A-Fa-f]{2}$/.test(text))
    return { problem: 'not-a-sentence' };
  const packet = packetOf(text);
  if (packet === null) return { problem: 'not-a-sentence' };
  if (packet.chxOk !== true) return { problem: 'bad-checksum' };
  const fields = text.slice(0, -3).split(',');
  const kind = packet.sentenceId === '?' ? packet.originalPacketId : packet.sentenceId;
  const head: [string, string][] = [
    ['sentence', JSON.stringify(kind)],
    ['talker', JSON.stringify(packet.talkerId ?? '')],
  ];
  const rows = packet.sentenceId === '?' ? undefined : rowsOf(packet, fields);
  return decodedObject([
    ...head,
    ...(rows?.flatMap((row) => memberOf(row, fields)) ?? [
      ['fields', `[${fields.slice(1).map(valueJson).join(',')}]`] as const,
    ]),
  ]);
}

/** Undefined for a kind of which nothing is chosen. */
function rowsOf(packet: Packet, fields: readonly string[]): readonly Row[] | undefined {
  const rows = sentences[packet.sentenceId] as
    | ((packet: Packet, fields: readonly string[]) => readonly Row[])
    | undefined;
  return rows?.(packet, fields);
}

function memberOf([name, value, ...sources]: Row, fields: readonly string[]): [string, string][] {
  const isGiven = sources.every((index) => (fields[index] ?? '') !== '');
  if (!isGiven || value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return [];
  return [[name, JSON.stringify(value)]];
}

/** Null for what the library cannot read. */
function packetOf(text: string): ReturnType<typeof parseUnsafeNmeaSentence> | null {
  try {
    return parseUnsafeNmeaSentence(text);
  } catch {
    return null;
  }
}

/** Two fields each for latitude and longitude, from this one on. */
const position = (
  { latitude, longitude }: { readonly latitude: number; readonly longitude: number },
  field: number,
): readonly Row[] => [
  ['latitude', degrees(latitude), field, field + 1],
  ['longitude', degrees(longitude), field + 2, field + 3],
];

/** To what a receiver can know, 0.1 mm: minutes divided by 60 have digits that mean nothing. */
const degrees = (value: number): number => Number(value.toFixed(9));

/** To the east is positive. */
const signed = (value: number, direction: string): number => (direction === 'W' ? -value : value);

/** `123519.25` as `12:35:19.25`; the library would put it into today. */
const timeOfDay = (field = ''): string | undefined =>
  /^\d{6}(?:\.\d+)?$/.test(field) ? `${field.slice(0, 2)}:${field.slice(2, 4)}:${field.slice(4)}` : undefined;

const isoTime = (time: Date): string | undefined =>
  Number.isNaN(time.getTime()) ? undefined : time.toISOString();
