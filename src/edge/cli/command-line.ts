import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type Address, parseAddress } from '../config/address.ts';
import type { SettingKind } from '../config/setting-kinds.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { parseMoment } from './moment.ts';
import type { Terminal } from './terminal.ts';

/** A command with its options, arguments, and what it does. */
export type CommandLine = Command;

/** The command that all others are below, with the options that all of them have. */
export function rootCommand(version: string, terminal: Terminal): CommandLine {
  return new Command('headwater')
    .description('Every sensor reading durable on this device, and exactly once in central Apache Kafka.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand(false)
    .option(
      '--config <file>',
      'the configuration (default: the file that HEADWATER_CONFIG names, else ./headwater.yaml if there is one)',
    )
    .option(
      '--set <setting=value>',
      'change one setting, such as mqtt.listen=127.0.0.1:0; may be repeated',
      collect,
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void terminal.output.write(text),
      writeErr: (text) => void terminal.errors.write(text),
    })
    .showHelpAfterError('(--help explains the command)')
    .exitOverride();
}

/** The exit code if a command line was wrong, or only asked for help; undefined for any other error. */
export function usageExitCode(error: unknown): ExitCode | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}

// How the values of options are read

/** Takes what is given each time, for an option that may be repeated. */
export const collect = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  value,
];

/** The same for `host:port` of brokers. */
export function collectBroker(text: string, previous: readonly Address[] = []): readonly Address[] {
  const address = parseAddress(text);
  if (address !== undefined && address.port !== 0) return [...previous, address];
  throw new InvalidArgumentError('Write host:port, such as kafka1:9092.');
}

/** Reads a text with something in it. */
export function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('Write at least one character.');
  return value;
}

/** Reads bytes in hexadecimal digits, with spaces between them or not. */
export function bytesInHex(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  if (/^(?:[0-9A-Fa-f]{2})+$/.test(digits)) return Uint8Array.fromHex(digits);
  throw new InvalidArgumentError('Write pairs of hexadecimal digits, such as "AA C0".');
}

/** Reads a whole number, both ends included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}

/** Reads a moment as milliseconds since 1970. */
export function moment(text: string): number {
  const ms = parseMoment(text, Date.now());
  if (ms === undefined)
    throw new InvalidArgumentError('Write a time such as 2026-01-31T08:00, or how long ago, such as 2h.');
  return ms;
}

type Reader<Value> = (text: string) => Value;

/** Reads an option as the setting of this kind is read in the configuration. */
export function settingOf<Value>(kind: SettingKind<Value>): Reader<Value> {
  return (text) => {
    const read = kind.safeParse(text);
    if (read.success) return read.data;
    const advice = read.error.issues[0]?.message ?? '';
    throw new InvalidArgumentError(`${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`);
  };
}

/** The same, or the word `default`. */
export const orDefault =
  <Value>(read: Reader<Value>): Reader<Value | 'default'> =>
  (text) =>
    text === 'default' ? text : read(text);
