import { isOperatingError } from '../../core/errors.ts';
import type { SerialDevice } from '../../core/serial-device.ts';
import {
  type NamedWish,
  type PortName,
  pathsOf,
  type Selection,
  selectPort,
  wishText,
} from '../../ingest/wired/port-selection.ts';
import { portWishes } from '../port-wishes.ts';
import type { StatusReport } from '../status.ts';
import type { CommandContext } from './command-context.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';

/** A configured port with what it stands for now. */
interface ListedPort extends PortName {
  readonly wanted: string;
  /** Null if there is nothing to open. */
  readonly device: string | null;
  /** Why not, in words. */
  readonly problem: string | null;
  /** Null if no gateway runs that has it. */
  readonly state: string | null;
}

interface ListedDevice extends SerialDevice {
  /** The configured port that takes it; null if none does. */
  readonly port: string | null;
}

/** `headwater serial list`: what serial ports there are and which configured port each of them is, with or without a gateway. */
export async function listSerial(context: CommandContext, json: boolean): Promise<ExitCode> {
  const wishes = portWishes(await context.config());
  const found = await context.machine.serialDevices(pathsOf(wishes));
  const running = await runningPorts(context);
  const ports = wishes.map((port) => listed(port, selectPort(wishes, port, found), found, running));
  const devices = found.map((device): ListedDevice => {
    return { ...device, port: ports.find((port) => port.device === device.path)?.name ?? null };
  });
  const text = json ? JSON.stringify({ devices, ports }) : rows(devices, ports).join('\n');
  await context.terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** A port of the running gateway. */
type RunningPort = Pick<ListedPort, 'kind' | 'name' | 'wanted' | 'state'>;

/** The ports of the running gateway; empty if there is none to ask. */
async function runningPorts({ gateway, terminal }: CommandContext): Promise<readonly RunningPort[]> {
  try {
    const { serial, modbus } = (await (await gateway()).json('GET', '/api/status')) as StatusReport;
    return [
      ...serial.map(({ name, wanted, state }) => ({ kind: 'serial' as const, name, wanted, state })),
      ...modbus.map(({ name, place, state }) => ({ kind: 'modbus' as const, name, wanted: place, state })),
    ];
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    if (error.code !== 'gateway-not-running') await terminal.errors.write(`${error.message}\n`);
    return [];
  }
}

function listed(
  { kind, name, wish }: NamedWish,
  selection: Selection,
  found: readonly SerialDevice[],
  running: readonly RunningPort[],
): ListedPort {
  const wanted = wishText(wish);
  const isSame = (port: RunningPort): boolean =>
    port.kind === kind && port.name === name && port.wanted === wanted;
  const state = running.find(isSame)?.state ?? null;
  if ('problem' in selection) return { kind, name, wanted, device: null, problem: selection.problem, state };
  const { device } = selection;
  const isThere = found.some(({ path }) => path === device);
  return {
    kind,
    name,
    wanted,
    state,
    device: isThere ? device : null,
    problem: isThere ? null : `there is no ${wanted}`,
  };
}

function rows(devices: readonly ListedDevice[], ports: readonly ListedPort[]): readonly string[] {
  const absent = ports.filter(({ device }) => device === null);
  return [
    ...(devices.length === 0 ? ['no serial ports here'] : []),
    ...devices.flatMap((device) => deviceRows(device, ports)),
    ...absent.map((port) => `${portText(port)} (${port.wanted}): ${port.problem}`),
  ];
}

const portText = ({ kind, name }: PortName): string => (kind === 'serial' ? name : `Modbus bus ${name}`);

function deviceRows({ path, links, usb }: ListedDevice, ports: readonly ListedPort[]): readonly string[] {
  const port = ports.find(({ device }) => device === path);
  const state = port === undefined || port.state === null ? '' : `, ${port.state}`;
  const whose = port === undefined ? 'not configured' : `${portText(port)}${state}`;
  return [
    `${path}: ${whose}`,
    ...links.map((link) => `  ${link}`),
    ...(usb === null
      ? []
      : [
          `  ${wishText({ usb: { ...usb, serial: usb.serial ?? undefined } })}${usb.maker === null ? '' : `, ${usb.maker}`}`,
        ]),
  ];
}
