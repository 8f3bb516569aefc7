import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Decoder } from '../../ingest/decode/decoder.ts';
import { type SendOptions, sendCommands } from '../../ingest/serial/commands.ts';
import type { Frame } from '../../ingest/serial/frame.ts';
import type { Port, PortSettings } from '../../ingest/serial/port.ts';
import { type PortEvent, PortWatchers } from '../../ingest/serial/port-watchers.ts';
import { pathsOf, portLocator, selectPort } from '../../ingest/wired/port-selection.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { type PortEventJson, portEventJson } from '../admin/port-event-json.ts';
import { decoderSection } from '../config/decoder-section.ts';
import { decoderFor, framingFor } from '../config/device-framings.ts';
import { framingSection } from '../config/framing-section.ts';
import type { Config } from '../config/schema.ts';
import type { SerialPortConfig } from '../config/serial-section.ts';
import { portWishes } from '../port-wishes.ts';
import { type DecoderConfig, decoderOf, type FramingConfig, framerOf, readPauseMsOf } from '../registry.ts';
import type { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { portEventRows } from './port-event-rows.ts';
import type { Output } from './terminal.ts';

/** The options as they are given. */
export interface SniffOptions {
  readonly baud?: number;
  readonly framing?: FramingConfig;
  readonly decoder?: DecoderConfig;
  readonly hex?: true;
  readonly seconds?: number;
  readonly frames?: number;
  readonly json?: true;
}

/** Of a port that is not configured. */
const lines: FramingConfig = {
  type: 'line',
  delimiter: Uint8Array.of(0x0a),
  lengthMax: limits.serialFrameBytesMax,
};

const json: DecoderConfig = { type: 'json' };

/** What to open, if no gateway has it open. */
interface Sniffed extends PortSettings, Pick<SerialPortConfig, 'framing' | 'decoder' | 'commands'> {
  readonly path: string;
}

/**
 * `headwater serial sniff`: shows what happens at a port until Ctrl-C, `seconds` or `frames`. What the running gateway reads
 * is asked of the gateway, which goes on to store it; any other port is opened.
 * @throws OperatingError `bad-configuration`, `port-unusable`, and as the client of the gateway
 */
export async function sniffSerial(
  context: CommandContext,
  target: string,
  options: SniffOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const stop = new AbortController();
  const ignoreSignals = terminal.onStopSignal(() => stop.abort());
  const { seconds, frames = Number.POSITIVE_INFINITY } = options;
  const timeout = seconds === undefined ? [] : [AbortSignal.timeout(seconds * 1000)];
  const signal = AbortSignal.any([stop.signal, ...timeout]);
  try {
    let seen = 0;
    for await (const event of await eventsOf(context, target, options, signal)) {
      const goesOn = await show(terminal.output, event, options);
      if (event.kind === 'frame' || event.kind === 'bad-frame') seen += 1;
      if (!goesOn || seen >= frames) break;
    }
  } finally {
    stop.abort();
    ignoreSignals();
  }
  return exitCodes.ok;
}

async function show(output: Output, event: PortEventJson, { json, hex }: SniffOptions): Promise<boolean> {
  const rows = json ? [JSON.stringify(event)] : portEventRows(event, hex === true);
  return await output.write(rows.map((row) => `${row}\n`).join(''));
}

async function eventsOf(
  context: CommandContext,
  target: string,
  options: SniffOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<PortEventJson>> {
  const config = await context.config();
  const port = await configuredPort(context, config, target);
  const client = port === undefined ? null : await runningGateway(context);
  if (port === undefined || client === null) {
    const path = port === undefined ? target : await pathOf(context, config, port.name);
    return openedEvents(context, sniffed(path, port, options), signal);
  }
  if (options.baud !== undefined || options.framing !== undefined || options.decoder !== undefined)
    throw new OperatingError(
      'bad-configuration',
      `the running gateway reads ${port.name} as it is configured. Leave --baud, --framing and --decoder out, or stop it to try others`,
    );
  return gatewayEvents(client, port.name, signal);
}

/** Which configured port is meant by a name or a path; undefined for a path that is none of them. */
async function configuredPort(
  { machine }: CommandContext,
  config: Config,
  target: string,
): Promise<SerialPortConfig | undefined> {
  const { serial } = config;
  const named = serial.find(({ name }) => name === target);
  if (named !== undefined) return named;
  if (!target.startsWith('/')) {
    const names = serial.map(({ name }) => name).join(', ') || 'none';
    throw new OperatingError(
      'bad-configuration',
      `there is no serial port ${target} in the configuration; there are: ${names}. Or give the path of one: headwater serial list shows them`,
    );
  }
  const ports = portWishes(config);
  const devices = await machine.serialDevices([target, ...pathsOf(ports)]);
  const meant = devices.find(({ path, links }) => path === target || links.includes(target))?.path ?? target;
  return serial.find(({ name }) => {
    const selection = selectPort(ports, { kind: 'serial', name }, devices);
    return 'device' in selection && selection.device === meant;
  });
}

/** @throws OperatingError `port-unusable` if a configured port stands for nothing now */
async function pathOf({ machine }: CommandContext, config: Config, name: string): Promise<string> {
  const selection = await portLocator(portWishes(config), machine.serialDevices)({ kind: 'serial', name });
  if ('problem' in selection) throw new OperatingError('port-unusable', selection.problem);
  return selection.path;
}

/** Null if none runs. */
async function runningGateway({ gateway }: CommandContext): Promise<AdminClient | null> {
  try {
    const client = await gateway();
    // Its files are left behind by a crash.
    await client.json('GET', '/api/topics');
    return client;
  } catch (error) {
    if (error instanceof OperatingError && error.code === 'gateway-not-running') return null;
    throw error;
  }
}

/** An option is no more than a name: if the port has the same, with settings, it is that. */
const asOf = <Named extends { readonly type: string }>(
  option: Named | undefined,
  own: Named | undefined,
): Named | undefined => (option?.type === own?.type ? own : option);

/** Where a device has a framing of its own: who names the decoder means that as well. */
function framingOfDevice(decoder: DecoderConfig | undefined): FramingConfig | undefined {
  const type = decoder && framingFor(decoder.type);
  return type && framingSection().parse(type);
}

/** The same the other way round. */
function decoderOfDevice(framing: FramingConfig | undefined): DecoderConfig | undefined {
  const type = framing && decoderFor[framing.type];
  return type && decoderSection().parse(type);
}

function sniffed(path: string, port: SerialPortConfig | undefined, options: SniffOptions): Sniffed {
  const named = asOf(options.framing ?? framingOfDevice(options.decoder), port?.framing);
  const framing = named ?? port?.framing ?? lines;
  // A port that has the framing already has its decoder, too, perhaps another one.
  const ofDevice = framing === port?.framing ? undefined : decoderOfDevice(options.framing);
  const decoder = asOf(options.decoder, port?.decoder) ?? ofDevice ?? port?.decoder ?? json;
  const baud = options.baud ?? port?.baud;
  if (baud === undefined)
    throw new OperatingError(
      'bad-configuration',
      `say how fast the device at ${path} speaks, such as --baud 9600`,
    );
  const usual = { dataBits: 8, parity: 'none', stopBits: 1, flow: 'none', commands: undefined } as const;
  return { ...usual, ...port, path, baud, framing, decoder, readPauseMs: readPauseMsOf(framing, baud) };
}

async function* gatewayEvents(
  client: AdminClient,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PortEventJson> {
  const path = `/api/serial/${encodeURIComponent(name)}/events`;
  for await (const line of client.lines(path, signal)) yield JSON.parse(line.toString()) as PortEventJson;
  if (!signal.aborted)
    throw new OperatingError('gateway-unreachable', 'the gateway has ended the stream: it is stopping');
}

/** What happens at a port that is opened for this alone. */
async function* openedEvents(
  { machine }: CommandContext,
  port: Sniffed,
  signal: AbortSignal,
): AsyncGenerator<PortEventJson> {
  const watchers = new PortWatchers();
  const closing = new AbortController();
  const ended = AbortSignal.any([signal, closing.signal]);
  const events = watchers.watch(ended);
  const framer = framerOf(port.framing);
  const decode = decoderOf(port.decoder);
  const tell = (event: (atMs: number) => PortEvent): void => watchers.tell(event(nodeClock.wallMs()));
  let lostBecause: string | null = null;
  const lost = (reason: string): void => {
    lostBecause = reason;
    tell((atMs) => ({ kind: 'state', atMs, state: 'lost', device: port.path }));
  };
  const opened = await machine.openPort(port.path, port, {
    received: (chunk) => {
      tell((atMs) => ({ kind: 'received', atMs, bytes: chunk.slice() }));
      for (const frame of framer.push(chunk, nodeClock.monotonicMs())) tell(frameEvent(frame, decode));
    },
    lost,
  });
  tell((atMs) => ({ kind: 'state', atMs, state: 'open', device: port.path }));
  const commanding = command(opened, port, { tell, lost }, ended);
  try {
    for await (const event of events) {
      yield portEventJson(event);
      if (event.kind === 'state' && event.state === 'lost')
        throw new OperatingError('port-unusable', `${port.path} is lost (${lostBecause})`);
    }
  } finally {
    closing.abort();
    await opened.close();
    await commanding;
  }
}

const frameEvent =
  ({ bytes, problem }: Frame, decode: Decoder) =>
  (atMs: number): PortEvent => {
    if (problem !== null) return { kind: 'bad-frame', atMs, bytes, problem };
    const decoded = decode(bytes);
    return 'value' in decoded
      ? { kind: 'frame', atMs, bytes, value: decoded.value }
      : { kind: 'bad-frame', atMs, bytes, problem: decoded.problem };
  };

interface Told {
  readonly tell: (event: (atMs: number) => PortEvent) => void;
  readonly lost: (reason: string) => void;
}

/** A device that has to be asked is asked, as by the gateway. */
async function command(
  port: Port,
  { commands }: Sniffed,
  { tell, lost }: Told,
  signal: AbortSignal,
): Promise<void> {
  if (commands === undefined) return;
  const sending: SendOptions = {
    commands,
    clock: nodeClock,
    write: (bytes) => port.write(bytes),
    onSent: (bytes) => tell((atMs) => ({ kind: 'sent', atMs, bytes })),
    onFailed: (problem) => tell((atMs) => ({ kind: 'not-sent', atMs, problem })),
    onStuck: lost,
  };
  await sendCommands(sending, signal);
}
