import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../kafka/until.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bootFile, CARD_MIB, kept, sshKeys } from './appliance.ts';
import { BOOT_MS_MAX, Board, Card } from './board.ts';
import { builtImage } from './built-image.ts';

const BUILD_MS_MAX = 1_800_000;
/** Five starts, with longer and longer waits between them. */
const FALL_BACK_MS_MAX = 400_000;
const POWER_OFF_MS_MAX = 120_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let key: Awaited<ReturnType<typeof sshKeys>>;
let card: Card;
let board: Board;

beforeAll(async () => {
  folder = await temporaryFolder();
  key = await sshKeys(folder.path);
  card = await Card.flash(await builtImage(), join(folder.path, 'card'), CARD_MIB);
  await card.put('headwater.yaml', bootFile(key.publicKey));
  board = await Board.start(card, { console: await kept('versions.txt'), sshKey: key.file });
  await board.answers('ssh');
  await board.answers('mqtt');
}, BUILD_MS_MAX);
afterAll(async () => {
  await board?.cutPower();
  await folder[Symbol.asyncDispose]();
});

const running = async (): Promise<string> =>
  (await board.ssh('readlink -f /proc/$(systemctl show -P MainPID headwater)/exe')).trim();

/** Installs a copy of the image's version that is another one, and has the link lead to it. */
async function install(version: string, entryPoint: string): Promise<void> {
  await board.ssh(
    [
      `mkdir -p /data/app/${version}/bin`,
      `ln -s /usr/lib/headwater/app /data/app/${version}/app`,
      `cp /usr/lib/headwater/bin/node /data/app/${version}/bin/`,
      `printf '%s\\n' '#!/bin/sh' '${entryPoint}' >/data/app/${version}/bin/headwater`,
      `chmod 755 /data/app/${version}/bin/headwater`,
      `ln -sfn ${version} /data/app/current`,
    ].join(' && '),
  );
}

/** Resolves when the gateway takes readings; `command` has to succeed as well. */
const isActive = (on: Board, command = 'true', msMax = BOOT_MS_MAX): Promise<true> =>
  until('the gateway is active', msMax, async () => {
    const { code } = await on.trySsh(`${command} && systemctl --quiet is-active headwater`);
    return code === 0 || undefined;
  });

/** A start takes longer in emulation than a command may. */
async function restart(): Promise<void> {
  const before = (await board.ssh('systemctl show -P InvocationID headwater')).trim();
  await board.ssh('systemctl restart --no-block headwater');
  await isActive(board, `[ "$(systemctl show -P InvocationID headwater)" != ${before} ]`);
}

test('an installed version runs when it is sound', async () => {
  await install('9.9.1', 'exec /data/app/9.9.1/bin/node /data/app/9.9.1/app/src/edge/main.js "$@"');
  await restart();
  expect(await running()).toBe('/data/app/9.9.1/bin/node');
  // Five restarts that somebody asks for are no failures.
  for (let count = 0; count < 5; count++) await restart();
  expect(await running()).toBe('/data/app/9.9.1/bin/node');
});

test('a version that crashes is left after five starts, and the log and the screen say so', async () => {
  await install('9.9.2', 'exit 1');
  await board.trySsh('systemctl restart --no-block headwater');
  const isOfImage =
    '[ "$(readlink -f /proc/$(systemctl show -P MainPID headwater)/exe)" = /usr/lib/headwater/bin/node ]';
  await isActive(board, isOfImage, FALL_BACK_MS_MAX);
  expect(await board.ssh('journalctl -u headwater -o cat')).toContain(
    '/data/app/9.9.2 did not hold in 5 starts',
  );
  await board.ssh('agetty --reload');
  await board.says('Headwater runs in the version of the image: /data/app/9.9.2 did not hold in 5 starts.');
});

test('an error of the file system restarts the machine, which repairs it and goes on', async () => {
  await board.trySsh('echo 1 >/sys/fs/ext4/vda3/trigger_fs_error');
  // QEMU was told to end instead of starting anew.
  await board.isOff(POWER_OFF_MS_MAX);
  await using again = await Board.start(card, { console: await kept('after-error.txt'), sshKey: key.file });
  await again.answers('mqtt');
  await again.answers('ssh');
  await isActive(again);
  // The count is on the card: the version that failed is not tried again.
  expect(await again.ssh('readlink /run/headwater-app/current')).toBe('/usr/lib/headwater\n');
});
