import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../kafka/until.ts';
import { findWrongReadings } from '../support/reading-oracle.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bootFile, CARD_MIB, kept, login, sshKeys } from './appliance.ts';
import { Board, Card, mustRun, NETWORK_DOMAIN } from './board.ts';
import { builtImage } from './built-image.ts';
import { writeWhatWasFlushed } from './write-log.ts';

const BUILD_MS_MAX = 1_800_000;
const ANNOUNCE_MS_MAX = 120_000;
const READINGS_BEFORE_CUT = 400;
const wifi = '{ country: DE, networks: [{ ssid: Plant, password: not-for-strangers }] }';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let image: string;
let key: Awaited<ReturnType<typeof sshKeys>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  key = await sshKeys(folder.path);
  image = await builtImage();
}, BUILD_MS_MAX);
afterAll(async () => await folder[Symbol.asyncDispose]());

const place = (name: string): string => join(folder.path, name);

/** Boots a card with a file; resolves when the gateway takes readings. */
async function booted(card: Card, name: string, more: Partial<Parameters<typeof Board.start>[1]> = {}) {
  const board = await Board.start(card, { console: await kept(`${name}.txt`), sshKey: key.file, ...more });
  try {
    await board.answers('mqtt');
    return board;
  } catch (error) {
    await board.cutPower();
    throw error;
  }
}

const storedPayloads = async (board: Board): Promise<readonly string[]> =>
  (await board.ssh('headwater consume readings --from-beginning')).trim().split('\n');

describe('a card with a boot file, and a power cut in the middle of load', () => {
  let card: Card;
  let rootSum: string;
  let fleet: SensorFleet;
  let flushed: Card;
  const facts: Record<string, unknown> = {};
  const first: { machineId?: string; hostKey?: string } = {};

  beforeAll(async () => {
    card = await Card.flash(image, place('card'), CARD_MIB);
    rootSum = await card.sum(2);
    await card.put('headwater.yaml', bootFile(key.publicKey, `  wifi: ${wifi}`));
  });

  test('boots, takes readings of its user, and is told what it is by its file', async () => {
    const original = await card.copyTo(place('flushed'));
    const writeLog = place('writes');
    await using board = await booted(card, 'first-boot', { writeLog });
    facts['secondsToMqtt'] = board.upSeconds;
    await board.answers('ssh');
    expect(await board.ssh('hostname')).toBe('pumphouse\n');
    await until('nothing of the start is under way', ANNOUNCE_MS_MAX, async () => {
      const { stdout } = await board.trySsh('systemctl is-system-running');
      return stdout.trim() === 'starting' ? undefined : true;
    });
    expect(await board.ssh('systemctl --failed --plain --no-legend')).toBe('');
    expect(await board.ssh('resolvectl domain eth0')).toContain(NETWORK_DOMAIN);
    // Made by prepare and announce, in what is kept for root alone.
    expect(await board.ssh("stat -c '%U %a' /var/cache/headwater-root")).toBe('root 700\n');
    expect(await board.ssh('find /var/cache/headwater-root -type f | head -1')).not.toBe('');
    expect(await board.ssh('find /var/cache/headwater-root ! -user root')).toBe('');
    first.machineId = await board.ssh('cat /etc/machine-id');
    first.hostKey = await board.ssh('cat /data/system/ssh/ssh_host_ed25519_key.pub');
    facts['systemd'] = (await board.ssh('systemd-analyze time')).trim();
    facts['memory'] = (await board.ssh('free -m')).trim();
    facts['rssKib'] = Number(await board.ssh('ps -o rss= -p $(systemctl show -P MainPID headwater)'));
    facts['data'] = (await board.ssh('df -m --output=size,used /data')).trim();
    facts['slowest'] = (await board.ssh('systemd-analyze blame | head -12')).trim();

    fleet = new SensorFleet({
      devices: 4,
      readingsPerDevice: 100_000,
      window: 20,
      mqtt: `127.0.0.1:${board.mqttPort}`,
      login,
    });
    const running = fleet.run();
    await fleet.reached(READINGS_BEFORE_CUT);
    await board.cutPower();
    fleet.stop();
    await running;
    facts['acknowledged'] = fleet.acknowledged.length;
    // What a card with a cache has after a power cut: nothing that was not flushed.
    facts['card'] = await writeWhatWasFlushed(writeLog, original.file);
    await rm(writeLog);
    flushed = original;
  });

  test('the boot file has no secrets any more, and says the same', async () => {
    const left = (await card.read('headwater.yaml')) ?? '';
    expect(left).toContain('# My first gateway');
    expect(left).toContain('(kept on the device)');
    expect(left).not.toContain(login.password);
    expect(left).not.toContain('not-for-strangers');
    expect(await card.read('headwater-errors.txt')).toBeUndefined();
  });

  test('after the power cut nothing that was acknowledged is lost, and the device is the same', async () => {
    await using board = await booted(flushed, 'second-boot');
    facts['secondsToMqttAfterCut'] = board.upSeconds;
    await board.answers('ssh');
    expect(findWrongReadings(fleet.acknowledged, await storedPayloads(board))).toEqual([]);
    expect(await board.ssh('cat /etc/machine-id')).toBe(first.machineId);
    expect(await board.ssh('cat /data/system/ssh/ssh_host_ed25519_key.pub')).toBe(first.hostKey);
    expect(await board.ssh('hostname')).toBe('pumphouse\n');
    // A made-up radio: the network of the boot file is looked for as soon as there is one.
    await board.ssh('modprobe mac80211_hwsim radios=1');
    await until('Wi-Fi looks for its network', ANNOUNCE_MS_MAX, async () => {
      const { stdout } = await board.trySsh('wpa_cli -p /run/wpa_supplicant -i wlan0 list_networks');
      return stdout.includes('Plant') || undefined;
    });
    expect(await board.ssh('systemctl --failed --plain --no-legend')).toBe('');
  });

  test('the root partition is what was flashed, bit by bit', async () => {
    expect(await card.sum(2)).toBe(rootSum);
    expect(await flushed.sum(2)).toBe(rootSum);
    await writeFile(await kept('boot.json'), `${JSON.stringify(facts, null, 2)}\n`);
  });
});

describe('a card that nobody has prepared', () => {
  test('boots with a boot file that is wrong, changes nothing, and says what to correct', async () => {
    const card = await Card.flash(image, place('unprepared'), CARD_MIB);
    await card.put('headwater.yaml', 'gateway:\n  name: gw1\nforwarder:\n  brokers: 7\n');
    await using board = await Board.start(card, { console: await kept('wrong-file.txt') });
    await board.says(/claim code {3}\S+ /);
    const console = await board.console();
    expect(console).toContain('headwater.yaml was not imported');
    const errors = await until('the errors are on the card', ANNOUNCE_MS_MAX, () =>
      card.read('headwater-errors.txt'),
    );
    expect(errors).toContain('headwater.yaml:4:');
    expect(await card.read('headwater.yaml')).toContain('brokers: 7');
    await board.cutPower();

    await card.remove('headwater.yaml');
    await using again = await Board.start(card, { console: await kept('no-file.txt') });
    await again.says(/claim code {3}\S+ /);
    const code = /claim code {3}(\S+) /.exec(await again.console())?.[1] ?? 'none';
    const status = await until('the status on the card has the code', ANNOUNCE_MS_MAX, async () => {
      const text = await card.read('headwater-status.txt');
      return text?.includes(code) ? text : undefined;
    });
    expect(status).toMatch(/name +headwater-[0-9a-f]{4}\.local/);
    expect(status).toMatch(/SHA-256/);
    expect(await card.read('headwater-errors.txt')).toBeUndefined();
  });
});

describe('a data partition that was damaged', () => {
  /** Overwrites a stretch of the data partition. */
  async function damage(card: Card, mib: number): Promise<void> {
    const { start } = await card.partition(3);
    const at = ['bs=1M', 'oflag=seek_bytes', `seek=${start}`, `count=${mib}`, 'conv=notrunc'];
    await mustRun('dd', ['if=/dev/urandom', `of=${card.file}`, ...at]);
  }

  test('is repaired from the second superblock, and grown where a power cut ended that', async () => {
    const card = await Card.flash(image, place('half-grown'), CARD_MIB);
    await card.put('headwater.yaml', bootFile(key.publicKey));
    // The table says that it is large, and the file system does not know yet.
    await mustRun('sfdisk', ['--quiet', '-N', '3', card.file], ', +\n');
    const { start } = await card.partition(3);
    await mustRun('dd', [
      'if=/dev/zero',
      `of=${card.file}`,
      'bs=4096',
      'oflag=seek_bytes',
      `seek=${start}`,
      'count=1',
      'conv=notrunc',
    ]);
    await using board = await booted(card, 'half-grown');
    await board.answers('ssh');
    expect(Number(await board.ssh('df -m --output=size /data | tail -n 1'))).toBeGreaterThan(2500);
    expect(await board.ssh('cat /boot/firmware/data-partition.txt')).toContain(
      'is damaged; it is being repaired',
    );
    expect(await board.ssh('mount | grep " /data "')).toMatch(/noatime/);
  });

  test('is made anew when nothing of it can be found, and people are told', async () => {
    const card = await Card.flash(image, place('gone'), CARD_MIB);
    await damage(card, 256);
    await using board = await Board.start(card, { console: await kept('data-gone.txt') });
    await board.says(/claim code {3}\S+ /);
    expect(await board.console()).toContain('It was made anew');
    expect(await card.read('data-partition.txt')).toContain('It was made anew');
  });

  test('that cannot be used at all lets the board say so, and try again', async () => {
    const card = await Card.flash(image, place('none'), CARD_MIB);
    await mustRun('sfdisk', ['--quiet', '--delete', card.file, '3']);
    await using board = await Board.start(card, { console: await kept('no-data.txt') });
    await board.says('The data partition cannot be used');
    const told = await until('the card says so', ANNOUNCE_MS_MAX, () => card.read('data-partition.txt'));
    expect(told).toContain('cannot be used');
    expect(await readFile(await kept('no-data.txt'), 'utf8')).not.toMatch(/emergency mode|sulogin/);
  });
});
