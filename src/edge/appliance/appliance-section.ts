import { limits } from '../../core/limits.ts';
import { isLegalPattern } from '../../ingest/mqtt/topic-access.ts';
import { list, section, text, yesOrNo } from '../config/setting-kinds.ts';
import { isLegalUserName } from '../users/user.ts';

/** What stands in the boot file instead of a secret that the device has already. */
export const KEPT = '(kept on the device)';

/** `appliance` in the boot file: what the machine is told, besides the gateway. All of it may be left out. */
export const applianceSection = () =>
  section({
    /** The name of the machine, also in the network: `<name>.local`. */
    hostName: text(
      `1 to ${limits.hostNameLengthMax} letters, digits or "-", without "-" at the ends`,
      /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/,
    ).optional(),
    wifi: section({
      /** Where the device stands: it decides which channels it may use. */
      country: text('two capital letters of a country, such as DE', /^[A-Z]{2}$/),
      networks: list(
        networkSection(),
        'Wi-Fi networks, such as [{ ssid: Plant, password: … }]',
        limits.wifiNetworksMax,
      ),
    }).optional(),
    /** Who may log in by ssh; without one there is no ssh. */
    sshKeys: list(
      text('a public key as in a .pub file, without options before it', isSshKey, /^[a-z]/),
      'public keys',
      limits.sshKeysMax,
    ).optional(),
    timeServers: list(
      text('the name or address of a time server', /^[a-zA-Z0-9](?:[a-zA-Z0-9.:_-]{0,252})$/),
      'time servers, such as [time.example.com]',
      limits.timeServersMax,
    ).optional(),
    timezone: text('a time zone, such as Europe/Berlin', isTimeZone, /^[A-Za-z]/).optional(),
    /** Users of the MQTT port, as those of "headwater devices": they are added to those that there are. */
    mqttUsers: list(
      userSection(),
      'users, such as [{ name: kitchen, password: … }]',
      limits.bootUsersMax,
    ).optional(),
  }).optional();

const networkSection = () =>
  section({
    ssid: text(`the name of a network, ${limits.ssidBytesMax} bytes at most`, isSsid),
    /** Without one the network is open. */
    password: text(
      `the password of the network: ${limits.wifiPassphraseLengthMin} to ${limits.wifiPassphraseLengthMax} letters, digits and signs of ASCII, or its key as 64 hexadecimal digits`,
      isWifiPassword,
    ).optional(),
    hidden: yesOrNo().default(false),
  });

const userSection = () =>
  section({
    name: text('the name of a user, without ":", "/", "+" or "#"', isLegalUserName),
    /** Without one the user logs in by a client certificate of that name. */
    password: text(
      `a password of at most ${limits.answerLengthMax} bytes`,
      (value) => value !== '' && Buffer.byteLength(value) <= limits.answerLengthMax,
    ).optional(),
    publish: patterns().optional(),
    subscribe: patterns().optional(),
  });

const patterns = () =>
  list(
    text(
      'an MQTT topic with + and # as in MQTT, %u for the user and %c for the client id, in quotes',
      isLegalPattern,
    ),
    "topics, such as ['sensors/%u/#']",
    limits.topicPatternsMax,
  );

/** `appliance` as it is read. */
export interface ApplianceSettings {
  readonly hostName?: string | undefined;
  readonly wifi?: { readonly country: string; readonly networks: readonly WifiNetwork[] } | undefined;
  readonly sshKeys?: readonly string[] | undefined;
  readonly timeServers?: readonly string[] | undefined;
  readonly timezone?: string | undefined;
  readonly mqttUsers?: readonly BootUser[] | undefined;
}

export interface WifiNetwork {
  readonly ssid: string;
  /** {@link KEPT} for the key that the device has; undefined for an open network. */
  readonly password?: string | undefined;
  readonly hidden: boolean;
}

export interface BootUser {
  readonly name: string;
  /** {@link KEPT} for the one that the device has. */
  readonly password?: string | undefined;
  readonly publish?: readonly string[] | undefined;
  readonly subscribe?: readonly string[] | undefined;
}

function isSsid(value: string): boolean {
  return value !== '' && Buffer.byteLength(value) <= limits.ssidBytesMax && !/\p{Cc}/u.test(value);
}

function isWifiPassword(value: string): boolean {
  if (value === KEPT || isWifiKey(value)) return true;
  const { length } = value;
  const isLong = length >= limits.wifiPassphraseLengthMin && length <= limits.wifiPassphraseLengthMax;
  return isLong && /^[\x20-\x7e]+$/.test(value);
}

/** Whether it is the key of a network itself, not a passphrase for one. */
export const isWifiKey = (value: string): boolean => /^[0-9a-fA-F]{64}$/.test(value);

const sshKeyTypes = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

/** One line of authorized_keys without options, which could have commands run: the key says its own type once more inside. */
function isSshKey(line: string): boolean {
  const match = /^(\S+) +([A-Za-z0-9+/]+={0,2})(?: [^\p{Cc}]*)?$/u.exec(line);
  const [, type = '', key = ''] = match ?? [];
  if (line.length > limits.sshKeyLengthMax || !sshKeyTypes.includes(type)) return false;
  const bytes = Buffer.from(key, 'base64');
  const lengthOfType = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  return bytes.subarray(4, 4 + lengthOfType).toString('latin1') === type && bytes.length > 4 + lengthOfType;
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
