import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { nameOf } from '../config/read-config.ts';
import { checkSettings, settingShape } from '../config/schema.ts';
import { readYaml } from '../config/yaml-tree.ts';
import { USERS_FILE } from '../users/users-file.ts';
import { version } from '../version.ts';
import { errorsText, screenText } from './announcement.ts';
import { type ApplianceDisk, replaceOnCard } from './appliance-disk.ts';
import type { ApplianceMachine } from './appliance-machine.ts';
import type { BootUser } from './appliance-section.ts';
import { type BootFile, readBootFile } from './boot-file.ts';
import { BOOT_FILE } from './boot-file-problems.ts';
import { type FoundBootFile, findBootFile, readBeside } from './boot-partition.ts';
import { checkAppliance } from './check-appliance.ts';
import { clockFloorMs, knownTimes } from './clock-floor.ts';
import { defaultHostName } from './default-host-name.ts';
import { withoutFiles } from './file-settings.ts';
import { type Generation, generationOf, tooLarge } from './generation.ts';
import { Generations, type InForce } from './generations.ts';
import { type ImportedSettings, nothingImported, sha256 } from './imported-settings.ts';
import { type RunFacts, writeRunFacts } from './run-facts.ts';
import { isMapping, settingNames } from './settings-tree.ts';
import { type MachineSettings, RUN_FOLDER, systemFiles, zoneLink } from './system-files.ts';

/** Where an appliance has its things; absolute paths. */
export interface AppliancePlaces {
  /** The boot partition. */
  readonly boot: string;
  /** The data partition. */
  readonly data: string;
  /** What the paths of system files begin with; `/` for the machine itself. */
  readonly root: string;
  /** What the image comes with: its settings, and when it was built. */
  readonly image: string;
}

/** The data folder on the data partition. */
export const dataFolder = ({ data }: AppliancePlaces): string => join(data, 'headwater');

export const ERRORS_FILE = 'headwater-errors.txt';
export const ISSUE_FOLDER = '/run/issue.d';
export const ISSUE_FILE = 'headwater.issue';

/** A boot file that is good and waits to be put in force. */
type Pending = Exclude<BootFile, { readonly problems: unknown }>;

/** What it takes to put settings in force. */
interface Step {
  readonly generations: Generations;
  readonly inForce: InForce;
  readonly pending: Pending | null;
  readonly defaults: unknown;
  readonly hostName: string;
}

/** One preparation of an appliance. It ends, whatever is wrong: what could not be done is among its problems. */
export class Preparation {
  readonly #places: AppliancePlaces;
  readonly #disk: ApplianceDisk;
  readonly #machine: ApplianceMachine;
  readonly #problems: string[] = [];

  constructor(places: AppliancePlaces, disk: ApplianceDisk, machine: ApplianceMachine) {
    this.#places = places;
    this.#disk = disk;
    this.#machine = machine;
  }

  /** Does all of it, in the order in which a power cut may end it anywhere. Never rejects. */
  async run(): Promise<RunFacts> {
    await this.#attempt('the clock', () => this.#advanceClock());
    const standard = await this.#try('the name', 'headwater', () =>
      defaultHostName(this.#disk, this.#places.root),
    );
    const found = await findBootFile(this.#disk, this.#places.boot);
    const imported = await this.#import(found, standard);
    const { settings } = imported;
    const machine = machineSettings(settings, standard);
    await this.#attempt('the files of the system', () => this.#writeSystem(machine));
    const facts: RunFacts = {
      hostName: machine.hostName,
      importErrors: imported.errors,
      problems: this.#problems,
      closed: imported.closed,
      stillCounting: stillCounting(settings, found, standard),
    };
    await this.#attempt(ERRORS_FILE, () => this.#tellErrors(imported.errors));
    await this.#attempt('the screen', () => this.#show(facts));
    return facts;
  }

  async #advanceClock(): Promise<void> {
    const { image, root } = this.#places;
    const floorMs = clockFloorMs(
      await knownTimes(this.#disk, {
        dataDir: dataFolder(this.#places),
        imageTimeFile: join(image, 'image-time'),
        timesyncFile: join(root, '/var/lib/systemd/timesync/clock'),
      }),
    );
    if (floorMs !== null && floorMs > this.#machine.wallMs()) await this.#machine.setClock(floorMs);
  }

  async #import(
    found: FoundBootFile,
    hostName: string,
  ): Promise<{ settings: ImportedSettings; errors: readonly string[]; closed: readonly string[] }> {
    const errors: string[] = found.kind === 'unreadable' ? [found.problem] : [];
    let settings = nothingImported;
    let closed: readonly string[] = [];
    await this.#attempt('the settings', async () => {
      const { data } = this.#places;
      // What is written there now is gone at the next start: no secret may leave the boot partition for it.
      if (!(await this.#machine.isMounted(data)))
        throw new Error(
          `${data} is not mounted, so nothing is imported; start again, or write the card anew`,
        );
      const generations = new Generations(this.#disk, join(data, 'config'));
      const inForce = await generations.inForce();
      this.#problems.push(...inForce.problems);
      settings = inForce.imported;
      const defaults = await this.#defaults();
      const read = await this.#readBootFile(found, inForce, defaults, hostName);
      if (read !== null && 'problems' in read) errors.push(...read.problems);
      const pending = read === null || 'problems' in read ? null : read;
      try {
        closed = await this.#putInForce({ generations, inForce, pending, defaults, hostName });
      } catch (error) {
        if (pending === null) throw error;
        errors.push(`${BOOT_FILE} is good, and is tried again at the next start: ${messageOf(error)}`);
        return;
      }
      settings = pending?.imported ?? settings;
      if (pending !== null) await this.#attempt(BOOT_FILE, () => this.#leaveCopy(pending));
      const consumed = [...inForce.imported.consumed, ...settings.consumed];
      if (found.kind === 'text' && errors.length === 0)
        await this.#attempt('files beside it', () => this.#removeConsumed(consumed));
    });
    return { settings, errors, closed };
  }

  async #defaults(): Promise<unknown> {
    const path = join(this.#places.image, 'headwater.yaml');
    const bytes = await this.#disk.read(path, limits.configFileBytesMax);
    const { value, problems } = readYaml(bytes === null ? '' : Buffer.from(bytes).toString('utf8'));
    if (bytes !== null && problems.length === 0) return value;
    throw new Error(`${path}, with the settings of the image, is missing or damaged; write the card anew`);
  }

  async #readBootFile(
    found: FoundBootFile,
    inForce: InForce,
    defaults: unknown,
    hostName: string,
  ): Promise<BootFile | null> {
    if (found.kind !== 'text' || sha256(found.bytes) === inForce.imported.bootFileSha256) return null;
    const read = await readBootFile(found.text, {
      before: inForce.imported,
      defaults,
      hostName,
      users: await this.#machine.userNames(dataFolder(this.#places)),
      beside: (fileName) => readBeside(this.#disk, this.#places.boot, fileName),
    });
    if ('problems' in read) return read;
    const { imported } = read;
    const problem = tooLarge(
      generationOf({ imported, defaults, hostName, hasUsers: true, currentFolder: '' }),
    );
    return problem === null ? read : { problems: [`${BOOT_FILE}:1:1: ${problem}`] };
  }

  /** Makes a generation if it is another one than that in force. What the boot file says is durable then, users included. */
  async #putInForce(step: Step): Promise<readonly string[]> {
    const { generations, inForce, pending, defaults, hostName } = step;
    const dataDir = dataFolder(this.#places);
    const usersPath = join(dataDir, USERS_FILE);
    const users = pending?.users ?? [];
    const hasUsers = users.length > 0 || (await this.#disk.changedMs(usersPath)) !== null;
    const { currentFolder } = generations;
    const imported = pending?.imported ?? inForce.imported;
    const generation = generationOf({ imported, defaults, hostName, hasUsers, currentFolder });
    let { number } = inForce;
    if (number !== null) await generations.tidy(number);
    const isNew = number === null || generation.system !== inForce.system;
    if (isNew && (number === null || pending !== null || this.#isLegal(generation, hostName)))
      number = await generations.put(generation, () => this.#mergeUsers(dataDir, users));
    else await this.#mergeUsers(dataDir, users);
    if (number !== null) await generations.tidy(number);
    return generation.closed;
  }

  /** Another version of the image may come with settings that do not go with those of this device. */
  #isLegal({ settings }: Generation, hostName: string): boolean {
    const checked = checkSettings(settings, hostName);
    if ('config' in checked) return true;
    const told = checked.problems.map(({ path, message }) => `${nameOf(path)}: ${message}`);
    this.#problems.push(
      'settings of the image do not go with those of this device; those before count',
      ...told,
    );
    return false;
  }

  async #mergeUsers(dataDir: string, users: readonly BootUser[]): Promise<void> {
    if (users.length > 0) await this.#machine.mergeUsers(dataDir, users);
  }

  /** Only now that all is durable the secrets may go from the boot partition. */
  async #leaveCopy({ copy }: Pending): Promise<void> {
    await replaceOnCard(this.#disk, this.#places.boot, BOOT_FILE, copy);
  }

  /** Removes files with secrets that were imported. One that is another one by now stays. */
  async #removeConsumed(consumed: ImportedSettings['consumed']): Promise<void> {
    const { boot } = this.#places;
    for (const { fileName, sha256: sum } of consumed) {
      const there = await readBeside(this.#disk, boot, fileName);
      if (!('text' in there) || sha256(there.text) !== sum) continue;
      await this.#disk.remove(join(boot, fileName));
      await this.#disk.sync(boot);
    }
  }

  async #writeSystem(settings: MachineSettings): Promise<void> {
    const { root } = this.#places;
    const hosts = await this.#disk.read(join(root, '/etc/hosts'), limits.configFileBytesMax);
    const files = systemFiles(settings, hosts === null ? '' : Buffer.from(hosts).toString('utf8'));
    for (const { folder, name, text, readers } of files) {
      await this.#attempt(name, async () => {
        if (text === null) return await this.#disk.remove(join(root, folder, name));
        await this.#disk.makeFolder(join(root, folder), 'everybody');
        await replaceOnCard(this.#disk, join(root, folder), name, text, readers);
      });
    }
    await this.#attempt('the host name', () => this.#machine.setHostName(settings.hostName));
    await this.#attempt('the time zone', () => this.#setZone(settings));
  }

  async #setZone({ appliance }: MachineSettings): Promise<void> {
    const etc = join(this.#places.root, '/etc');
    const target = zoneLink(appliance);
    if ((await this.#disk.linkTarget(`${etc}/localtime`)) === target) return;
    if (appliance.timezone !== undefined && (await this.#disk.changedMs(join(etc, target))) === null)
      throw new Error(`this system does not know ${appliance.timezone}; choose another name of it`);
    const spare = `${etc}/localtime.new`;
    await this.#disk.remove(spare);
    await this.#disk.link(target, spare);
    await this.#disk.rename(spare, `${etc}/localtime`);
  }

  async #tellErrors(errors: readonly string[]): Promise<void> {
    const { boot } = this.#places;
    if (errors.length > 0) await replaceOnCard(this.#disk, boot, ERRORS_FILE, errorsText(errors));
    else if ((await this.#disk.changedMs(join(boot, ERRORS_FILE))) !== null)
      await this.#disk.remove(join(boot, ERRORS_FILE));
  }

  /** What is known before there is a network and a gateway. */
  async #show(facts: RunFacts): Promise<void> {
    const { root } = this.#places;
    await writeRunFacts(this.#disk, join(root, RUN_FOLDER), facts);
    const text = screenText(
      {
        ...facts,
        version,
        addresses: [],
        adminPort: null,
        isHttps: true,
        fingerprint: null,
        claimCode: null,
        isClaimed: false,
        isClockSet: false,
      },
      'not known yet',
    );
    await this.#disk.makeFolder(join(root, ISSUE_FOLDER), 'everybody');
    await replaceOnCard(this.#disk, join(root, ISSUE_FOLDER), ISSUE_FILE, text);
  }

  async #try<Result>(what: string, otherwise: Result, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#problems.push(`${what}: ${messageOf(error)}`);
      return otherwise;
    }
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    await this.#try(what, undefined, work);
  }
}

/** Settings were checked when they were imported; ones of another version that are not legal any more count as left out. */
function machineSettings({ tree, wifiKeys }: ImportedSettings, hostName: string): MachineSettings {
  const checked = checkAppliance(tree['appliance']);
  const appliance = 'settings' in checked ? checked.settings : {};
  return { hostName: appliance.hostName ?? hostName, appliance, wifiKeys };
}

/** What counts of earlier files, and the one that is there does not name. */
function stillCounting(
  { tree }: ImportedSettings,
  found: FoundBootFile,
  hostName: string,
): readonly string[] {
  const written = found.kind === 'text' ? readYaml(found.text).value : null;
  const named = isMapping(written) ? withoutFiles(written, settingShape(hostName)).tree : {};
  const there = new Set(settingNames(named));
  return settingNames(tree).filter((name) => !there.has(name));
}
