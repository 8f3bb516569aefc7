import { limits } from '../../core/limits.ts';
import { isLegalTopicName, readingsTopicName } from '../../core/topic-name.ts';
import type { BusSettings } from '../../ingest/modbus/bus.ts';
import { type RegisterMapName, registerMaps } from '../../ingest/modbus/maps/register-maps.ts';
import type { ModbusUnit } from '../../ingest/modbus/poll-record.ts';
import {
  byteOrders,
  isBitKind,
  type RegisterSettings,
  register,
  registerKinds,
  registerTypes,
  widthOf,
} from '../../ingest/modbus/register.ts';
import { isOwnTopic } from '../../ingest/mqtt/routes/route.ts';
import { type PortWish, wishText } from '../../ingest/wired/port-selection.ts';
import { namesOf } from '../registry.ts';
import type { Address } from './address.ts';
import { deviceAddress, portName } from './name-kinds.ts';
import { checkWish, portWishSettings, type WrittenWish, wishOf } from './port-wish-section.ts';
import {
  anyNumber,
  type CheckContext,
  choice,
  duration,
  list,
  section,
  text,
  wholeNumber,
} from './setting-kinds.ts';

/** `modbus`: buses whose units are polled. */
export const modbusList = () =>
  list(
    busSection(),
    'Modbus buses, such as [{ name: cabinet, port: { path: /dev/ttyUSB0, baud: 9600 }, units: [{ name: meter, unit: 1, every: 10s, map: sdm120 }] }]',
    limits.modbusBusesMax,
  )
    .superRefine(checkNames)
    .default([]);

const busSection = () =>
  section({
    /** What status and metrics call it. */
    name: portName(),
    /** A serial port, for Modbus RTU; or `tcp`. */
    port: section({
      ...portWishSettings(),
      baud: wholeNumber(limits.serialBaudMin, limits.serialBaudMax, 'bits per second'),
      parity: choice(['none', 'even', 'odd']).default('none'),
      stopBits: wholeNumber(1, 2).default(1),
    })
      .superRefine(checkWish)
      .optional(),
    /** Where a device, or a gateway to a serial bus, answers by Modbus TCP. */
    tcp: deviceAddress('meter.lan:502').optional(),
    /** What a unit has for its answer. */
    timeout: duration(limits.modbusTimeoutMsMin, limits.modbusTimeoutMsMax).default(500),
    /** How often a request is repeated that was not answered. */
    retries: wholeNumber(0, limits.modbusRetriesMax).default(1),
    units: list(
      unitSection(),
      'units, such as [{ name: meter, unit: 1, every: 10s, map: sdm120 }]',
      limits.modbusUnitsMax,
    ).min(1, {
      error: () => 'write one unit at least, such as [{ name: meter, unit: 1, every: 10s, map: sdm120 }]',
    }),
  }).superRefine(checkBus);

const unitSection = () =>
  section({
    /** The key of its records. */
    name: portName(),
    /** Its number on the bus. */
    unit: wholeNumber(0, 255),
    /** The topic of its records. */
    topic: text('the name of a topic that is not one of the gateway itself', isReadingsTopic).default(
      readingsTopicName,
    ),
    /** From one poll to the next. */
    every: duration(limits.modbusIntervalMsMin, limits.modbusIntervalMsMax).default(10_000),
    /** What a common device has in its registers; or `registers`. */
    map: choice(namesOf(registerMaps)).optional(),
    registers: list(
      registerSection(),
      'registers, such as [{ name: voltage, address: 0, kind: input, type: float32, unit: V }]',
      limits.modbusRegistersMax,
    )
      .min(1, { error: () => 'write one register at least' })
      .optional(),
  }).superRefine(checkUnit);

const isReadingsTopic = (topic: string): boolean => isLegalTopicName(topic) && !isOwnTopic(topic);

const registerSection = () =>
  section({
    /** Of the field in the record. */
    name: text(
      `1 to ${limits.modbusFieldNameLengthMax} letters, digits, "_" or "-"`,
      new RegExp(`^[\\w-]{1,${limits.modbusFieldNameLengthMax}}$`),
    ),
    /** As in the request, from 0. */
    address: wholeNumber(0, limits.modbusAddressMax),
    kind: choice(registerKinds).optional(),
    type: choice(registerTypes).optional(),
    /** How the bytes come. */
    order: choice(byteOrders).optional(),
    /** Numbers become value · scale + offset. */
    scale: anyNumber().optional(),
    offset: anyNumber().optional(),
    /** Shown behind values in alerts. */
    unit: text(
      `a unit of at most ${limits.alertUnitBytesMax} bytes`,
      (unit) => unit !== '' && Buffer.byteLength(unit) <= limits.alertUnitBytesMax,
    ).optional(),
    /** Which bit of a register, for `type: bit`. */
    bit: wholeNumber(0, 15).optional(),
    /** How many registers, for `type: string`. */
    length: wholeNumber(1, limits.modbusTextRegistersMax, 'registers').optional(),
  }).superRefine(checkRegister);

/** A bus as it is to be polled. */
export interface ModbusBusConfig {
  readonly name: string;
  readonly settings: BusSettings;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly units: readonly ModbusUnit[];
}

/** A bus as people write it. */
export interface BusSection {
  readonly name: string;
  readonly port?: BusPortSection | undefined;
  readonly tcp?: Address | undefined;
  readonly timeout: number;
  readonly retries: number;
  readonly units: readonly UnitSection[];
}

interface BusPortSection extends WrittenWish {
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: number;
}

interface UnitSection {
  readonly name: string;
  readonly unit: number;
  readonly topic: string;
  readonly every: number;
  readonly map?: RegisterMapName | undefined;
  readonly registers?: readonly RegisterSettings[] | undefined;
}

/** A bus as it is to be polled, of settings that have passed the checks of {@link modbusList}. */
export function busOf({ name, port, tcp, timeout, retries, units }: BusSection): ModbusBusConfig {
  const settings: BusSettings =
    port === undefined ? { kind: 'tcp', host: tcp?.host ?? '', port: tcp?.port ?? 0 } : rtuSettings(port);
  return { name, settings, timeoutMs: timeout, retries, units: units.map(unitConfig) };
}

function rtuSettings({ path, usb, baud, parity, stopBits }: BusPortSection): BusSettings {
  return { kind: 'rtu', wish: wishOf({ path, usb }), baud, parity, stopBits: stopBits === 2 ? 2 : 1 };
}

function unitConfig({ name, unit, topic, every, map, registers = [] }: UnitSection): ModbusUnit {
  const all = map === undefined ? registers.map(register) : registerMaps[map];
  return { name, unit, topic, intervalMs: every, registers: all };
}

const complainTo =
  (context: CheckContext) =>
  (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message, input: undefined });

function checkBus({ port, tcp, units }: BusSection, context: CheckContext): void {
  const complain = complainTo(context);
  if (port === undefined && tcp === undefined)
    complain(['port'], 'write a serial port here, or tcp: host:port');
  if (port !== undefined && tcp !== undefined) complain(['tcp'], 'write port or tcp, not both');
  if (port === undefined) return;
  for (const [index, { unit }] of units.entries())
    if (unit < 1 || unit > limits.modbusUnitsMax)
      complain(
        ['units', index, 'unit'],
        `write a number from 1 to ${limits.modbusUnitsMax}: others have no unit on a serial bus`,
      );
}

function checkUnit({ map, registers }: UnitSection, context: CheckContext): void {
  const complain = complainTo(context);
  if (map === undefined && registers === undefined)
    complain(['map'], `write what to read: one of ${namesOf(registerMaps).join(', ')}, or registers`);
  if (map !== undefined && registers !== undefined)
    complain(['registers'], 'write map or registers, not both');
  const names = registers?.map(({ name }) => name) ?? [];
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    if (first !== index)
      complain(['registers', index, 'name'], `write another name than that of registers.${first}`);
  }
}

function checkRegister(settings: RegisterSettings, context: CheckContext): void {
  const complain = complainTo(context);
  const { kind, type, order, address } = register(settings);
  const needs = (
    setting: 'scale' | 'offset' | 'bit' | 'length' | 'order',
    isFine: boolean,
    what: string,
  ): void => {
    if (settings[setting] !== undefined && !isFine) complain([setting], `remove it, or write ${what}`);
  };
  if (isBitKind(kind) && type !== 'bit')
    complain(['type'], `write bit, or remove it: a ${kind} is a single bit`);
  const isNumber = type !== 'bit' && type !== 'string';
  needs('scale', isNumber, 'the type of a number');
  needs('offset', isNumber, 'the type of a number');
  needs('bit', type === 'bit' && !isBitKind(kind), 'type: bit, of a holding or an input register');
  needs('length', type === 'string', 'type: string');
  needs('order', type !== 'string' || order === 'ABCD' || order === 'BADC', 'ABCD or BADC for a string');
  if (address + widthOf(register(settings)) - 1 > limits.modbusAddressMax)
    complain(['address'], `write a lower one: its value ends above ${limits.modbusAddressMax}`);
}

/** Records and metrics could not be told apart, and each bus stands for a device of its own. */
function checkNames(buses: readonly BusSection[], context: CheckContext): void {
  const complain = complainTo(context);
  const taken = new Map<string, string>();
  /** Of each kind of names one is given once. */
  const take = (kind: string, name: string, path: readonly (string | number)[], what: string): void => {
    const first = taken.get(`${kind} ${name}`);
    if (first === undefined)
      taken.set(`${kind} ${name}`, ['modbus', ...path.slice(0, kind === 'unit' ? 3 : 1)].join('.'));
    else complain(path, `write another ${what} than that of ${first}`);
  };
  for (const [index, { name, port, units }] of buses.entries()) {
    take('bus', name, [index, 'name'], 'name');
    const { path, usb } = port ?? {};
    if (path !== undefined) take('path', path, [index, 'port', 'path'], 'path');
    if (usb !== undefined) take('usb', wishText({ usb }), [index, 'port', 'usb'], 'usb');
    for (const [at, unit] of units.entries()) take('unit', unit.name, [index, 'units', at, 'name'], 'name');
  }
}

/** The same of serial ports and Modbus buses. */
export function checkBesideSerial(
  serial: readonly { readonly name: string; readonly wish?: PortWish }[],
  buses: readonly BusSection[],
  context: CheckContext,
): void {
  const complain = complainTo(context);
  for (const [index, { port, units }] of buses.entries()) {
    const mark = port && wishText(wishOf(port));
    // A serial port with errors of its own has no wish yet.
    const same = serial.findIndex(({ wish }) => wish !== undefined && wishText(wish) === mark);
    if (port !== undefined && same !== -1) {
      const setting = port.usb === undefined ? 'path' : 'usb';
      complain(['modbus', index, 'port', setting], `write another ${setting} than that of serial.${same}`);
    }
    for (const [at, unit] of units.entries()) {
      const sameName = serial.findIndex(({ name }) => name === unit.name);
      if (sameName !== -1)
        complain(
          ['modbus', index, 'units', at, 'name'],
          `write another name than that of serial.${sameName}`,
        );
    }
  }
}
