import { durationText } from '../../core/duration.ts';
import type { ModbusBusStatus } from '../../ingest/modbus/modbus-source.ts';
import type { FailingRegister, ModbusUnitStatus } from '../../ingest/modbus/unit-report.ts';
import { counted } from './amounts.ts';
import { portPlace } from './port-place.ts';

/** What `headwater status` shows of the Modbus buses: one row for each, and one for each of its units. `nowMs` is the wall clock. */
export function modbusRows(buses: readonly ModbusBusStatus[], nowMs: number): readonly string[] {
  return buses.flatMap((bus) => [
    busText(bus, nowMs),
    ...bus.units.map((unit) => `  ${unitText(unit, nowMs)}`),
  ]);
}

function busText(
  { name, place, device, state, requests, dropped, lastError }: ModbusBusStatus,
  nowMs: number,
): string {
  return [
    `${name} (${portPlace(place, device)}) is ${state}`,
    counted(requests, 'request'),
    ...(dropped === 0 ? [] : [`${dropped} dropped`]),
    ...(lastError === null ? [] : [`last error ${ago(lastError.atMs, nowMs)}: ${lastError.message}`]),
  ].join('; ');
}

function unitText(unit: ModbusUnitStatus, nowMs: number): string {
  const { name, state, polls, records, lastRecordMs, failing } = unit;
  const states = { new: 'was not asked yet', answering: 'answers', silent: 'is SILENT' };
  return [
    `${name} (unit ${unit.unit}) ${states[state]}`,
    `${counted(records, 'record')} of ${counted(polls, 'poll')}${lastRecordMs === null ? '' : `, the last one ${ago(lastRecordMs, nowMs)}`}`,
    ...failingTexts(failing, nowMs),
  ].join('; ');
}

/** Registers that fail for the same reason are told together. */
const failingTexts = (failing: readonly FailingRegister[], nowMs: number): readonly string[] =>
  [...Map.groupBy(failing, ({ words }) => words)].map(([words, registers]) => {
    const names = registers.map(({ register }) => register).join(', ');
    return `no ${names} for ${since(Math.min(...registers.map(({ sinceMs }) => sinceMs)), nowMs)}: ${words}`;
  });

const since = (ms: number, nowMs: number): string => durationText(Math.max(0, nowMs - ms) / 1000);

/** How long ago a moment of the wall clock was. */
const ago = (ms: number, nowMs: number): string => `${since(ms, nowMs)} ago`;
