import type { Readers } from './appliance-disk.ts';
import type { ApplianceSettings, WifiNetwork } from './appliance-section.ts';

/** A file of the system that the settings decide about; null for one that there shall not be. */
export interface SystemFileText {
  readonly folder: string;
  readonly name: string;
  readonly text: string | null;
  readonly readers: Readers;
}

/** What the settings of the machine are, with all that has a default. */
export interface MachineSettings {
  readonly hostName: string;
  readonly appliance: ApplianceSettings;
  readonly wifiKeys: Readonly<Record<string, string>>;
}

/** Facts that units of the image look for, gone with the next start. */
export const RUN_FOLDER = '/run/headwater-appliance';
/** There while somebody may log in by ssh. */
export const SSH_MARKER = 'ssh-enabled';
/** Whose keys these are is for the image to say, in `AuthorizedKeysFile` of sshd. */
export const SSH_KEYS_FILE = '/etc/headwater-appliance/authorized_keys';

const NOTE = '# Made at boot of headwater.yaml on the boot partition; changes here do not last.\n';

/** The files of the system, of settings that have been checked: no text of them can begin a line of its own. Pure. */
export function systemFiles(settings: MachineSettings, hosts: string): readonly SystemFileText[] {
  const { hostName, appliance } = settings;
  const { sshKeys = [], timeServers = [], wifi } = appliance;
  const file = (folder: string, name: string, text: string | null, readers: Readers = 'everybody') => ({
    folder,
    name,
    text,
    readers,
  });
  const keys = sshKeys.length === 0 ? null : `${sshKeys.join('\n')}\n`;
  const servers = timeServers.length === 0 ? null : `${NOTE}[Time]\nNTP=${timeServers.join(' ')}\n`;
  const networks = wifi === undefined ? null : wifiText(wifi, settings.wifiKeys);
  return [
    file('/etc', 'hostname', `${hostName}\n`),
    file('/etc', 'hosts', hostsText(hosts, hostName)),
    file('/etc/wpa_supplicant', 'wpa_supplicant-wlan0.conf', networks, 'administrator'),
    file('/etc/headwater-appliance', 'authorized_keys', keys),
    file(RUN_FOLDER, SSH_MARKER, keys === null ? null : ''),
    file('/etc/systemd/timesyncd.conf.d', 'headwater.conf', servers),
  ];
}

/** Where `/etc/localtime` leads. */
export const zoneLink = ({ timezone = 'Etc/UTC' }: ApplianceSettings): string =>
  `../usr/share/zoneinfo/${timezone}`;

/** The own name is that of 127.0.1.1 (hosts(5) in Debian); other lines stay. */
function hostsText(hosts: string, hostName: string): string {
  const others = hosts.split('\n').filter((line) => !/^127\.0\.1\.1\s/.test(line));
  const there = others.some((line) => /^127\.0\.0\.1\s/.test(line))
    ? others
    : ['127.0.0.1\tlocalhost', ...others];
  const at = there.findIndex((line) => /^127\.0\.0\.1\s/.test(line)) + 1;
  const lines = [...there.slice(0, at), `127.0.1.1\t${hostName}`, ...there.slice(at)];
  return `${lines.join('\n').trimEnd()}\n`;
}

function wifiText(
  { country, networks }: NonNullable<ApplianceSettings['wifi']>,
  keys: MachineSettings['wifiKeys'],
): string {
  const blocks = networks.map((network, index) => networkText(network, keys, networks.length - index));
  return `${NOTE}ctrl_interface=/run/wpa_supplicant\nupdate_config=0\ncountry=${country}\n${blocks.join('')}`;
}

/** The name is written in hexadecimal digits, so that whatever is in it stays a name. The first network of the list is preferred. */
function networkText(
  { ssid, password, hidden }: WifiNetwork,
  keys: MachineSettings['wifiKeys'],
  priority: number,
): string {
  const key = password === undefined ? undefined : keys[ssid];
  const lines = [
    `ssid=${Buffer.from(ssid).toString('hex')}`,
    ...(hidden ? ['scan_ssid=1'] : []),
    ...(key === undefined ? ['key_mgmt=NONE'] : ['key_mgmt=WPA-PSK', `psk=${key}`]),
    `priority=${priority}`,
  ];
  return `network={\n${lines.map((line) => `\t${line}\n`).join('')}}\n`;
}
