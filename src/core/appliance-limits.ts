import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about the first boot of an appliance. */
export const applianceLimits = {
  /** `system.json` of a generation: all that imports have said, without secrets but keys of Wi-Fi networks. */
  systemFileBytesMax: 4 * MIB,
  /** Generations that are kept, the one in force included: the others are there for people to look at. */
  generationsKeptMax: 3,
  wifiNetworksMax: 16,
  /** IEEE 802.11. */
  ssidBytesMax: 32,
  wifiPassphraseLengthMin: 8,
  wifiPassphraseLengthMax: 63,
  /** IEEE 802.11i, J.4: how a passphrase becomes a key. */
  wifiKeyRounds: 4096,
  wifiKeyBytes: 32,
  sshKeysMax: 32,
  sshKeyLengthMax: 4 * KIB,
  timeServersMax: 8,
  /** Users of one file: each password is hashed at the boot that imports it. */
  bootUsersMax: 64,
  hostNameLengthMax: 63,
  /** A file of sysfs with the address of a network card. */
  networkAddressFileBytesMax: 4 * KIB,
  /** A clock file that is later than the image by more than this was itself written by a wrong clock. */
  clockAfterImageMsMax: 20 * 365 * 24 * 3600 * 1000,
  /** What setting the clock may take. */
  setClockMs: 5000,
  /** Errors that fit on the screen above the login. */
  screenErrorsMax: 8,
} as const;
