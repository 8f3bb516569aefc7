import { limits } from '../../core/limits.ts';
import type { PortCommands } from '../../ingest/serial/commands.ts';
import type { PortSettings } from '../../ingest/serial/port.ts';
import { type PortWish, wishText } from '../../ingest/wired/port-selection.ts';
import { type DecoderConfig, type DecoderName, type FramingConfig, readPauseMsOf } from '../registry.ts';
import { parseEscapedBytes, parseHexBytes } from './byte-text.ts';
import { decoderSection } from './decoder-section.ts';
import { decoderFor, framingFor } from './device-framings.ts';
import { framingSection } from './framing-section.ts';
import { portName } from './name-kinds.ts';
import { checkWish, portWishSettings, type WrittenWish, wishOf } from './port-wish-section.ts';
import {
  bytesOf,
  type CheckContext,
  choice,
  duration,
  list,
  oneOf,
  section,
  wholeNumber,
} from './setting-kinds.ts';

const LINE_FEED = 0x0a;

/** `serial`: ports to read frames from. */
export const serialList = () =>
  list(
    portSection(),
    'serial ports, such as [{ name: weather, path: /dev/ttyUSB0, baud: 9600 }]',
    limits.serialPortsMax,
  )
    .superRefine(checkPorts)
    .transform((ports) => ports.map(portConfig))
    .default([]);

const portSection = () =>
  section({
    /** The key of its records. */
    name: portName(),
    ...portWishSettings(),
    baud: wholeNumber(limits.serialBaudMin, limits.serialBaudMax, 'bits per second'),
    dataBits: oneOf([8, 7, 6, 5]).default(8),
    parity: choice(['none', 'even', 'odd']).default('none'),
    stopBits: oneOf([1, 2]).default(1),
    flow: choice(['none', 'rtscts', 'xonxoff']).default('none'),
    framing: framingSection(),
    decoder: decoderSection().default({ type: 'json' }),
    /** Open and silent for so long is stalled. */
    stalledAfter: duration(limits.serialStalledAfterMsMin, limits.serialStalledAfterMsMax).optional(),
    /** What the device has to be sent. */
    commands: commandsSection().optional(),
  }).superRefine(checkPort);

/** A configured serial port. */
export interface SerialPortConfig extends PortSettings {
  readonly name: string;
  /** Which port it is: `path` or `usb`. */
  readonly wish: PortWish;
  readonly framing: FramingConfig;
  readonly decoder: DecoderConfig;
  /** Milliseconds; undefined if it may be silent for as long as it likes. */
  readonly stalledAfter: number | undefined;
  readonly commands: PortCommands | undefined;
}

const commandsSection = () =>
  section({
    /** Once after each opening, in this order. */
    start: commandList().default([]),
    /** Again and again, in this order. */
    poll: commandList().default([]),
    /** From one poll to the next. */
    every: duration(limits.serialPollMsMin, limits.serialPollMsMax).optional(),
    /** Before each command. */
    pause: duration(0, limits.serialCommandPauseMsMax).default(100),
  });

const commandList = () =>
  list(
    command(),
    "commands to the device, such as ['READ\\r\\n', { hex: 'FF 01 86' }]",
    limits.serialCommandsMax,
  );

function command() {
  const bytesMax = limits.serialCommandBytesMax;
  const asText = `text of 1 to ${bytesMax} bytes in single quotes, such as 'READ\\r\\n', with \\r, \\n, \\t, \\0, \\\\ and \\xFF for any byte, or { hex: 'FF 01 86' }`;
  const asHex = `1 to ${bytesMax} bytes in hex digits, in quotes, such as 'FF 01 86'`;
  return bytesOf(
    { what: asText, parse: (written) => within(bytesMax, parseEscapedBytes(written)) },
    { what: asHex, parse: (written) => within(bytesMax, parseHexBytes(written)) },
  );
}

const within = (bytesMax: number, bytes: Uint8Array | undefined): Uint8Array | undefined =>
  bytes !== undefined && bytes.length > 0 && bytes.length <= bytesMax ? bytes : undefined;

interface CommandSettings {
  readonly start: readonly Uint8Array[];
  readonly poll: readonly Uint8Array[];
  readonly every?: number | undefined;
  readonly pause: number;
}

interface PortSection extends Omit<PortSettings, 'readPauseMs'>, WrittenWish {
  readonly name: string;
  readonly framing: FramingConfig;
  readonly decoder: DecoderConfig;
  readonly stalledAfter?: number | undefined;
  readonly commands?: CommandSettings | undefined;
}

function portConfig({ commands, path, usb, stalledAfter, ...rest }: PortSection): SerialPortConfig {
  const everyMs = commands?.every;
  return {
    ...rest,
    wish: wishOf({ path, usb }),
    readPauseMs: readPauseMsOf(rest.framing, rest.baud),
    stalledAfter:
      stalledAfter ?? (everyMs === undefined ? undefined : everyMs * limits.serialStalledPollsDefault),
    commands:
      commands === undefined
        ? undefined
        : { start: commands.start, poll: commands.poll, everyMs: everyMs ?? 0, pauseMs: commands.pause },
  };
}

function checkPort(port: PortSection, context: CheckContext): void {
  checkWish(port, context);
  checkDecoder(port, context);
  const { commands } = port;
  const complain = (where: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...where], message, input: undefined });
  if (commands === undefined) return;
  if (commands.poll.length > 0 && commands.every === undefined)
    complain(['commands', 'every'], 'write how often to poll, such as 10s');
  if (commands.poll.length === 0 && commands.every !== undefined)
    complain(['commands', 'poll'], "write what to send so often, such as ['READ\\r\\n'], or remove every");
}

/** What may find something in the text of a telegram besides. */
const readersOfText: readonly DecoderName[] = ['csv', 'key-value', 'regex'];

/** Refuses what can give no reading; what a device could speak, however odd, is left to who knows it. */
function checkDecoder({ framing, decoder }: PortSection, context: CheckContext): void {
  const complain = (setting: string, instead: string): void =>
    context.addIssue({
      code: 'custom',
      path: [setting],
      message: `write ${instead}, because ${decoder.type} understands nothing that ${framing.type} gives`,
      input: undefined,
    });
  const own = decoderFor[framing.type];
  if (own === decoder.type) return;
  const needed = framingFor(decoder.type);
  if (needed !== undefined && (own !== undefined || endsAtLineFeeds(framing))) complain('framing', needed);
  if (needed !== undefined || own === undefined || decoder.type === 'raw') return;
  if (framing.type === 'telegram' && readersOfText.includes(decoder.type)) return;
  complain('decoder', `${own}, or raw for the bytes as they are`);
}

/** A telegram has many, and what a sensor sends has none at its end. */
const endsAtLineFeeds = (framing: FramingConfig): boolean =>
  framing.type === 'line' && framing.delimiter.length === 1 && framing.delimiter[0] === LINE_FEED;

/** Each port has a name of its own, and stands for a device of its own. */
function checkPorts(ports: readonly PortSection[], context: CheckContext): void {
  const marks = {
    name: (port: PortSection) => port.name,
    path: (port: PortSection) => port.path,
    usb: ({ usb }: PortSection) => usb && wishText({ usb }),
  };
  ports.forEach((port, index) => {
    for (const [setting, markOf] of Object.entries(marks)) {
      const first = ports.findIndex((other) => markOf(other) === markOf(port));
      if (first === index || markOf(port) === undefined) continue;
      const message = `write another ${setting} than that of serial.${first}`;
      context.addIssue({ code: 'custom', path: [index, setting], message, input: undefined });
    }
  });
}
