import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { isClockSet, systemTimeService } from '../../platform/clock-check.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { announceAppliance, ownAddresses } from '../appliance/announce.ts';
import { thisApplianceMachine, withoutMachine } from '../appliance/appliance-machine.ts';
import { gatewayUserOf } from '../appliance/gateway-user.ts';
import { nodeApplianceDisk } from '../appliance/node-appliance-disk.ts';
import { type AppliancePlaces, Preparation } from '../appliance/prepare.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './command-line.ts';
import { exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** Adds `appliance` with its commands, which units of the image run. */
export function addAppliance(program: CommandLine, { terminal, endWith }: CommandContext): void {
  const appliance = program
    .command('appliance')
    .description('what the image does when it starts; the file headwater.yaml of the boot partition');
  withPlaces(appliance.command('prepare'))
    .description(
      'before network and gateway: set the clock forward, import the boot file, write files of the system; its exit code is 0, whatever was wrong with the card',
    )
    .action(async (options: PlaceOptions) => {
      const places = placesOf(options, terminal);
      await mustBeAppliance(places);
      await prepareAnyhow(places, terminal);
      endWith(exitCodes.ok);
    });
  withPlaces(appliance.command('announce'))
    .description(
      'when the gateway has started, and again: tell name, addresses and claim code on screen and boot partition',
    )
    .action(async (options: PlaceOptions) => {
      const places = placesOf(options, terminal);
      await mustBeAppliance(places);
      await announce(places, terminal);
      endWith(exitCodes.ok);
    });
}

interface PlaceOptions {
  readonly boot: string;
  readonly data: string;
  readonly root: string;
  readonly image: string;
}

function withPlaces(command: CommandLine): CommandLine {
  return command
    .option('--boot <dir>', 'the boot partition', '/boot/firmware')
    .option('--data <dir>', 'the data partition', '/data')
    .option(
      '--root <dir>',
      'write files of the system below this folder, and leave clock and host name alone',
      '/',
    )
    .option(
      '--image <dir>',
      'what the image comes with: headwater.yaml and image-time',
      '/usr/share/headwater-appliance',
    );
}

function placesOf(
  { boot, data, root, image }: PlaceOptions,
  { workingDirectory }: Terminal,
): AppliancePlaces {
  const absolute = (path: string): string => resolve(workingDirectory, path);
  return { boot: absolute(boot), data: absolute(data), root: absolute(root), image: absolute(image) };
}

/** The command is on every machine with the package, and there host name and Wi-Fi are not its business. */
async function mustBeAppliance({ image }: AppliancePlaces): Promise<void> {
  const isFolder = await stat(image).then(
    (there) => there.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  throw new OperatingError(
    'bad-input',
    `nothing was done: only a machine with the image of Headwater is prepared, and that has a folder ${image}`,
  );
}

/** Never rejects, not even for a bug of ours: the device has to start, and its old settings are there. */
async function prepareAnyhow(places: AppliancePlaces, terminal: Terminal): Promise<void> {
  try {
    await prepare(places, terminal);
  } catch (error) {
    const trace = error instanceof Error ? error.stack : undefined;
    await terminal.errors.write(`this start was not prepared: ${trace ?? messageOf(error)}\n`);
  }
}

async function prepare(places: AppliancePlaces, terminal: Terminal): Promise<void> {
  const user = await gatewayUserOf(places.root);
  const machine = places.root === '/' ? thisApplianceMachine(user) : withoutMachine(user);
  const facts = await new Preparation(places, nodeApplianceDisk(user), machine).run();
  for (const line of [...facts.importErrors, ...facts.problems]) await terminal.errors.write(`${line}\n`);
  await terminal.output.write(`prepared ${facts.hostName}\n`);
}

async function announce(places: AppliancePlaces, terminal: Terminal): Promise<void> {
  const surroundings = {
    hostName: terminal.hostName,
    addresses: ownAddresses(),
    isClockSet: await isClockSet(systemTimeService),
    wallMs: nodeClock.wallMs(),
  };
  try {
    await announceAppliance(places, nodeApplianceDisk(null), surroundings);
  } catch (error) {
    throw new OperatingError('output-failed', `not all could be told: ${messageOf(error)}`, { cause: error });
  }
}
