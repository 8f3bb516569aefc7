import { isOperatingError } from '../../core/errors.ts';
import type { SerialDevice } from '../../core/serial-device.ts';
import type { SerialPortStatus } from '../../ingest/serial/serial-source.ts';
import { pathsOf, type Selection, selectPort, wishText } from '../../ingest/wired/port-selection.ts';
import type { SerialPortConfig } from '../config/serial-section.ts';
import type { StatusReport } from '../status.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { SerialContext } from './serial-context.ts';

/** A configured port with what it stands for now. */
interface ListedPort {
  readonly name: string;
  readonly wanted: string;
  /** Null if there is nothing to open. */
  readonly device: string | null;
  /** Why not, in words. */
  readonly problem: string | null;
  /** Null if no gateway runs that has it. */
  readonly state: SerialPortStatus['state'] | null;
}

interface ListedDevice extends SerialDevice {
  /** The configured port that takes it; null if none does. */
  readonly port: string | null;
}

/** `headwater serial list`: what serial ports there are and which configured port each of them is, with or without a gateway. */
export async function listSerial(context: SerialContext, json: boolean): Promise<ExitCode> {
  const { serial } = await context.config();
  const found = await context.machine.serialDevices(pathsOf(serial));
  const states = await runningPorts(context);
  const ports = serial.map((port, index) => listed(port, selectPort(serial, index, found), found, states));
  const devices = found.map((device): ListedDevice => {
    return { ...device, port: ports.find((port) => port.device === device.path)?.name ?? null };
  });
  const text = json ? JSON.stringify({ devices, ports }) : rows(devices, ports).join('\n');
  await context.terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** The ports of the running gateway; empty if there is none to ask. */
async function runningPorts({ gateway, terminal }: SerialContext): Promise<readonly SerialPortStatus[]> {
  try {
    return ((await (await gateway()).json('GET', '/api/status')) as StatusReport).serial;
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    if (error.code !== 'gateway-not-running') await terminal.errors.write(`${error.message}\n`);
    return [];
  }
}

function listed(
  { name, wish }: SerialPortConfig,
  selection: Selection,
  found: readonly SerialDevice[],
  running: readonly SerialPortStatus[],
): ListedPort {
  const wanted = wishText(wish);
  const state = running.find((port) => port.name === name && port.wanted === wanted)?.state ?? null;
  if ('problem' in selection) return { name, wanted, device: null, problem: selection.problem, state };
  const { device } = selection;
  const isThere = found.some(({ path }) => path === device);
  return {
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
    ...absent.map(({ name, wanted, problem }) => `${name} (${wanted}): ${problem}`),
  ];
}

function deviceRows(
  { path, links, usb, port }: ListedDevice,
  ports: readonly ListedPort[],
): readonly string[] {
  const state = ports.find(({ name }) => name === port)?.state ?? null;
  const whose = port === null ? 'not configured' : `${port}${state === null ? '' : `, ${state}`}`;
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
