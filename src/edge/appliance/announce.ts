import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isAdminPasswordSet } from '../admin/access/admin-password.ts';
import { readClaimCode } from '../admin/access/claim-code.ts';
import { isLoopback, parseAddress } from '../config/address.ts';
import { readGatewayFile } from '../gateway-file.ts';
import { version } from '../version.ts';
import { type ApplianceFacts, screenText, statusText } from './announcement.ts';
import { type ApplianceDisk, replaceOnCard } from './appliance-disk.ts';
import { type AppliancePlaces, dataFolder, ISSUE_FILE, ISSUE_FOLDER } from './prepare.ts';
import { readRunFacts } from './run-facts.ts';
import { RUN_FOLDER } from './system-files.ts';

export const STATUS_FILE = 'headwater-status.txt';

/** What announcing asks of the machine. */
export interface Surroundings {
  readonly hostName: string;
  readonly addresses: readonly string[];
  readonly isClockSet: boolean;
  readonly wallMs: number;
}

/**
 * Writes what a person wants to know to the screen and to the boot partition; what is there already is left alone.
 * @throws the error of the operating system for the boot partition, once the screen is written
 */
export async function announceAppliance(
  places: AppliancePlaces,
  disk: ApplianceDisk,
  surroundings: Surroundings,
): Promise<ApplianceFacts> {
  const { boot, root } = places;
  const facts = await factsOf(places, disk, surroundings);
  const time = `${new Date(surroundings.wallMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  await disk.makeFolder(join(root, ISSUE_FOLDER), 'everybody');
  await replaceOnCard(disk, join(root, ISSUE_FOLDER), ISSUE_FILE, screenText(facts, time));
  await replaceOnCard(disk, boot, STATUS_FILE, statusText(facts));
  return facts;
}

async function factsOf(
  places: AppliancePlaces,
  disk: ApplianceDisk,
  { hostName, addresses, isClockSet }: Surroundings,
): Promise<ApplianceFacts> {
  const dataDir = dataFolder(places);
  const prepared = await readRunFacts(disk, join(places.root, RUN_FOLDER));
  const gateway = await readGatewayFile(dataDir);
  const admin = gateway === null ? undefined : parseAddress(gateway.admin);
  return {
    version,
    addresses,
    isClockSet,
    adminPort: admin === undefined || isLoopback(admin.host) ? null : admin.port,
    isHttps: gateway?.adminFingerprint !== null,
    fingerprint: onlyIf(/^[0-9A-F:]{1,128}$/, gateway?.adminFingerprint ?? null),
    claimCode: onlyIf(/^[0-9A-Z-]{1,64}$/, await readClaimCode(dataDir).catch(() => null)),
    isClaimed: await isAdminPasswordSet(dataDir),
    importErrors: prepared?.importErrors ?? [],
    problems: prepared?.problems ?? [
      'headwater appliance prepare has not run at this start: the journal says why',
    ],
    closed: prepared?.closed ?? [],
    stillCounting: prepared?.stillCounting ?? [],
    hostName: prepared?.hostName ?? hostName,
  };
}

/** Files that the gateway's user can replace, by a link to any other, are read here by the administrator: nothing else is shown. */
const onlyIf = (pattern: RegExp, text: string | null): string | null =>
  text !== null && pattern.test(text) ? text : null;

/** Addresses by which others reach this machine: those of IPv4, which stay, or else those of IPv6. */
export function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces())
    .flatMap((ofOne) => ofOne ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const ofIpv4 = all.filter(({ family }) => family === 'IPv4');
  return [...new Set((ofIpv4.length > 0 ? ofIpv4 : all).map(({ address }) => address))].sort();
}
