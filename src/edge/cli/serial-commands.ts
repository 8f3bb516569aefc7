import { limits } from '../../core/limits.ts';
import { decoderSection } from '../config/decoder-section.ts';
import { framingSection } from '../config/framing-section.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, settingOf, wholeNumber } from './command-line.ts';
import { listSerial } from './serial-list.ts';
import { type SniffOptions, sniffSerial } from './serial-sniff.ts';

/** Adds `serial` with its commands: what ports there are, and what comes from one. */
export function addSerial(program: CommandLine, context: CommandContext): void {
  const { endWith } = context;
  const serial = program.command('serial').description('look at serial ports');
  serial
    .command('list')
    .description('list the serial ports of this machine, and which configured port each of them is')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) => endWith(await listSerial(context, json === true)));
  serial
    .command('sniff')
    .description(
      'show what comes from a serial port, until Ctrl-C; from the running gateway if it reads that port',
    )
    .argument('<name|path>', 'a configured port, or the path of any')
    .option(
      '--baud <number>',
      'bits per second, for a port that is not configured',
      wholeNumber(limits.serialBaudMin, limits.serialBaudMax),
    )
    .option('--framing <name>', 'how messages are told apart', settingOf(framingSection()))
    .option('--decoder <name>', 'how they are understood', settingOf(decoderSection()))
    .option('--hex', 'bytes as hex digits, with their text beside')
    .option('--seconds <number>', 'end after so long', wholeNumber(1, limits.sniffSecondsMax))
    .option(
      '--frames <count>',
      'end after so many frames, good and bad',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--json', 'one JSON object for each thing that happens')
    .action(async (target: string, options: SniffOptions) =>
      endWith(await sniffSerial(context, target, options)),
    );
}
