import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { threeVersions } from './built-package.ts';
import { needTools } from './commands.ts';
import { Container, until } from './container.ts';
import { bootedRoot, rootArchive, unpackRoot } from './debian-roots.ts';
import { consumed, SentReadings } from './sent-readings.ts';

/*
 * The package in a Debian that systemd has started. Debian 13 hands over the socket for notifications; Debian 12 does not know
 * how, and the gateway calls systemd-notify.
 */

let folder = '';
let packages: Awaited<ReturnType<typeof threeVersions>>;

beforeAll(async () => {
  await needTools('dpkg-deb', 'mmdebstrap', 'systemd-nspawn');
  folder = await mkdtemp(join(tmpdir(), 'headwater-installed-'));
  packages = await threeVersions(folder, 'amd64');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['trixie', 'bookworm'] as const)('on %s', (suite) => {
  let container: Container;

  beforeAll(async () => {
    const root = join(folder, suite);
    await unpackRoot(await rootArchive(bootedRoot(suite)), root);
    for (const file of Object.values(packages)) await copyFile(file, join(root, 'root', basename(file)));
    container = await Container.boot(root);
  });

  afterAll(() => container?.close());

  const install = (file: string): Promise<string> => container.run('dpkg', '--install', basename(file));

  const headwater = (...words: readonly string[]): Promise<string> => container.run('headwater', ...words);

  const isActive = async (): Promise<boolean> =>
    (await container.attempt('systemctl', 'is-active', 'headwater')).output.trim() === 'active';

  const becomesActive = (): Promise<void> => until('the gateway is ready', isActive);

  const readings = new SentReadings((...command) => container.run(...command));

  const stored = async (): Promise<readonly string[]> =>
    consumed(await headwater('consume', 'readings', '--from-beginning'));

  const owners = async (...paths: readonly string[]): Promise<string> =>
    (await container.run('stat', '--format=%U:%G %a %n', ...paths)).trim();

  test('an installation starts it, as a user of its own, and it is there at the next start of the machine', async () => {
    await install(packages.current);
    await becomesActive();
    expect(await container.property('Type')).toBe('notify');
    expect(await container.property('StatusText')).not.toBe('');
    expect(await container.property('NRestarts')).toBe('0');
    const pid = await container.property('MainPID');
    expect((await container.run('ps', '-o', 'user=,args=', '-p', pid)).trim()).toMatch(
      /^headwat\S* +\/usr\/lib\/headwater\/bin\/node .*\/app\/src\/edge\/main\.js run$/,
    );
    expect(await container.run('id', '-nG', 'headwater')).toContain('dialout');
    expect((await container.run('systemctl', 'is-enabled', 'headwater')).trim()).toBe('enabled');
    expect(await owners('/var/lib/headwater', '/var/cache/headwater', '/etc/headwater/headwater.yaml')).toBe(
      'headwater:headwater 750 /var/lib/headwater\nheadwater:headwater 750 /var/cache/headwater\n' +
        'root:root 644 /etc/headwater/headwater.yaml',
    );
  });

  test('a reading goes through it, and the command finds it from anywhere', async () => {
    await readings.publish();
    expect(await stored()).toEqual(readings.all);
    expect(await headwater('--version')).toBe('0.1.0\n');
    expect(await headwater('config', 'check')).toContain('/etc/headwater/headwater.yaml');
  });

  test('the unit is sound, and lets it do little else', async () => {
    const verified = await container.attempt('systemd-analyze', 'verify', '--man=no', 'headwater.service');
    // Debian 12 names what it does not know yet, and goes on without it.
    const unknown = suite === 'bookworm' ? ['OpenFile', 'RestartSteps', 'RestartMaxDelaySec'] : [];
    const complaints = verified.said.split('\n').filter((line) => line.includes('headwater.service'));
    expect({ code: verified.code, complaints: complaints.length }).toEqual({
      code: 0,
      complaints: unknown.length,
    });
    for (const name of unknown) expect(verified.said).toContain(name);
    const exposure = await container.run('systemd-analyze', 'security', '--no-pager', 'headwater.service');
    expect(Number(/exposure level for headwater\.service: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThanOrEqual(
      2,
    );
  });

  test('what the daemon reads of the machine is not hidden from it', async () => {
    const pid = await container.property('MainPID');
    const inside = (...command: readonly string[]): Promise<string> =>
      container.run(
        'nsenter',
        '-t',
        pid,
        '-m',
        'setpriv',
        '--reuid=headwater',
        '--regid=headwater',
        '--init-groups',
        ...command,
      );
    expect(await inside('cat', '/proc/sys/kernel/random/boot_id')).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(await inside('cat', '/proc/self/mountinfo')).toContain(' /var/lib/headwater ');
    expect(await inside('ls', '/sys/class/tty', '/sys/block')).toContain('tty');
    const refused = await container.attempt('nsenter', '-t', pid, '-m', 'touch', '/etc/headwater/planted');
    expect(refused.said).toContain('Read-only file system');
  });

  test('a frozen one is killed by the watchdog and started again, and nothing acknowledged is lost', async () => {
    // As in the package, but for the patience.
    await container.run('mkdir', '-p', '/run/systemd/system/headwater.service.d');
    await container.run(
      'sh',
      '-c',
      'printf "[Service]\\nWatchdogSec=12\\n" >/run/systemd/system/headwater.service.d/test.conf',
    );
    await container.run('systemctl', 'daemon-reload');
    await container.run('systemctl', 'restart', 'headwater');
    await readings.publish();
    const pid = await container.property('MainPID');
    await container.run('kill', '-STOP', pid);
    await until('the watchdog acts', async () => (await container.property('NRestarts')) !== '0');
    await becomesActive();
    expect(await container.property('MainPID')).not.toBe(pid);
    expect(await stored()).toEqual(readings.all);
    // One that answers is left alone.
    const journal = await container.run('journalctl', '--no-pager', '-u', 'headwater');
    expect(journal.match(/Watchdog timeout/g)).toHaveLength(1);
    await container.run('rm', '-r', '/run/systemd/system/headwater.service.d');
    await container.run('systemctl', 'daemon-reload');
    await container.run('systemctl', 'restart', 'headwater');
  });

  test('a reload counts, and a wrong configuration does not end it', async () => {
    const write = (yaml: string): Promise<string> =>
      container.run('sh', '-c', `printf '%s' "$0" >/etc/headwater/headwater.yaml`, yaml);
    const log = (): Promise<string> =>
      container.run('journalctl', '--no-pager', '-o', 'cat', '-u', 'headwater');
    await write('data: { dir: /var/lib/headwater }\nlog: { level: debug }\n');
    await container.run('systemctl', 'reload', 'headwater');
    await until('the level is changed', async () => /log\.level/.test(await log()));
    await write('data: { dir: /var/lib/headwater }\nlog: { level: nonsense }\n');
    await container.run('systemctl', 'reload', 'headwater');
    await until('the mistake is told', async () => /nonsense|Write one of/.test(await log()));
    expect(await isActive()).toBe(true);
    await write('# kept by upgrades\ndata: { dir: /var/lib/headwater }\n');
    await container.run('systemctl', 'reload', 'headwater');
  });

  test('an upgrade and a downgrade keep it running, with data and configuration', async () => {
    for (const [file, version] of [
      [packages.newer, '99.0.0~rc1'],
      [packages.older, '0.0.9'],
      [packages.current, '0.1.0'],
    ] as const) {
      await install(file);
      await becomesActive();
      expect(await headwater('--version')).toBe(`${version}\n`);
      expect(await container.run('cat', '/etc/headwater/headwater.yaml')).toContain('# kept by upgrades');
      await readings.publish();
      expect(await stored()).toEqual(readings.all);
    }
  });

  test('what somebody has disabled stays so after an upgrade', async () => {
    await container.run('systemctl', 'disable', '--now', 'headwater');
    await install(packages.newer);
    expect(await isActive()).toBe(false);
    expect((await container.attempt('systemctl', 'is-enabled', 'headwater')).output.trim()).toBe('disabled');
    await install(packages.current);
    await container.run('systemctl', 'enable', '--now', 'headwater');
    await becomesActive();
  });

  test('what root does to the folder of a stopped gateway leaves it to the gateway', async () => {
    await container.run('systemctl', 'stop', 'headwater');
    await container.run('sh', '-c', 'printf "not a very good one\\n" | headwater devices add pump');
    expect(await stored()).toEqual(readings.all);
    const refused = await container.attempt('headwater', 'run');
    expect(refused.code).toBe(2);
    expect(refused.said).toContain('systemctl start headwater');
    await headwater('backup', 'gateway.backup');
    expect(await owners('gateway.backup')).toBe('root:root 600 gateway.backup');
    await headwater('restore', '--force', 'gateway.backup');
    expect(await owners('/etc/headwater/headwater.yaml')).toMatch(/^root:root 644/);
    expect((await container.run('find', '/var/lib/headwater', '-not', '-user', 'headwater')).trim()).toBe('');
    await container.run('systemctl', 'start', 'headwater');
    await becomesActive();
    expect(await headwater('devices', 'list')).toContain('pump');
    await headwater('devices', 'remove', 'pump');
    await readings.publish();
  });

  test('a removal stops it and keeps data and configuration; installed again it goes on', async () => {
    await container.run('dpkg', '--remove', 'headwater');
    expect(await isActive()).toBe(false);
    expect((await container.attempt('pgrep', '-u', 'headwater')).output).toBe('');
    await container.run(
      'test',
      '-f',
      '/etc/headwater/headwater.yaml',
      '-a',
      '-d',
      '/var/lib/headwater/journal',
    );
    await container.run('test', '!', '-e', '/usr/lib/headwater');
    await install(packages.current);
    await becomesActive();
    await readings.publish();
    expect(await stored()).toEqual(readings.all);
  });

  test('a purge takes everything but the user', async () => {
    await container.run('touch', '/etc/headwater/kafka.password');
    await container.run('dpkg', '--purge', 'headwater');
    for (const path of ['/etc/headwater', '/var/lib/headwater', '/var/cache/headwater', '/usr/lib/headwater'])
      await container.run('test', '!', '-e', path);
    const links = await container.run(
      'find',
      '/etc/systemd',
      '/var/lib/systemd/deb-systemd-helper-enabled',
      '-name',
      '*headwater*',
    );
    expect(links).toBe('');
    await container.run('id', 'headwater');
  });
});
