import { describe, expect, test } from 'vitest';
import { clockFloorMs } from '../../../src/edge/appliance/clock-floor.ts';
import { systemFiles } from '../../../src/edge/appliance/system-files.ts';

const textOf = (name: string, appliance: object, hosts = '', wifiKeys = {}): string | null | undefined =>
  systemFiles({ hostName: 'pump', appliance, wifiKeys }, hosts).find((file) => file.name === name)?.text;

describe('files of the system', () => {
  test('name the machine, and leave other lines of hosts alone', () => {
    expect(textOf('hostname', {})).toBe('pump\n');
    const hosts = '127.0.0.1\tlocalhost\n127.0.1.1\told\n::1\tlocalhost\n192.0.2.7\tkafka1\n';
    const named = '127.0.0.1\tlocalhost\n127.0.1.1\tpump\n::1\tlocalhost\n192.0.2.7\tkafka1\n';
    expect(textOf('hosts', {}, hosts)).toBe(named);
    expect(textOf('hosts', {}, named)).toBe(named);
  });

  test('join networks in their order, whatever their names hold', () => {
    const ssid = 'a"\\ x=}';
    const networks = [
      { ssid, password: '(kept on the device)', hidden: true },
      { ssid: 'open', hidden: false },
    ];
    const key = 'ab'.repeat(32);
    expect(
      textOf('wpa_supplicant-wlan0.conf', { wifi: { country: 'DE', networks } }, '', { [ssid]: key }),
    ).toBe(
      '# Made at boot of headwater.yaml on the boot partition; changes here do not last.\n' +
        'ctrl_interface=/run/wpa_supplicant\nupdate_config=0\ncountry=DE\n' +
        `network={\n\tssid=61225c20783d7d\n\tscan_ssid=1\n\tkey_mgmt=WPA-PSK\n\tpsk=${key}\n\tpriority=2\n}\n` +
        'network={\n\tssid=6f70656e\n\tkey_mgmt=NONE\n\tpriority=1\n}\n',
    );
  });

  test('let nobody in by ssh unless there are keys', () => {
    expect(textOf('authorized_keys', { sshKeys: [] })).toBeNull();
    expect(textOf('ssh-enabled', {})).toBeNull();
    expect(textOf('authorized_keys', { sshKeys: ['ssh-ed25519 A me', 'ssh-rsa B'] })).toBe(
      'ssh-ed25519 A me\nssh-rsa B\n',
    );
    expect(textOf('ssh-enabled', { sshKeys: ['ssh-ed25519 A me'] })).toBe('');
  });
});

describe('the floor of the clock', () => {
  test.each([
    ['nothing is known', null, [null, null], null],
    ['only the image', 1000, [null, null], 1000],
    ['the log is later', 1000, [3000, 2000], 3000],
    ['the image is later, written anew', 5000, [3000, 2000], 5000],
    ['a clock was years ahead', 1000, [1000 + 21 * 365 * 24 * 3600 * 1000, 2000], 2000],
  ])('where %s', (_what, imageMs, lastMs, floorMs) => {
    expect(clockFloorMs({ imageMs, lastMs })).toBe(floorMs);
  });
});
