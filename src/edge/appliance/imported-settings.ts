import { createHash } from 'node:crypto';
import { type Mapping, mapping } from './settings-tree.ts';

/** All that imports have said, as the device keeps it. */
export interface ImportedSettings {
  /** As in the boot file, with markers for texts of files and keys of networks. Users are not part of it. */
  readonly tree: Mapping;
  /** The texts, by the names of their files. */
  readonly files: Readonly<Record<string, string>>;
  /** Keys of Wi-Fi networks, 64 hexadecimal digits, by SSID. */
  readonly wifiKeys: Readonly<Record<string, string>>;
  /** What the boot partition has when there is nothing to import: the SHA-256 of the copy without secrets. */
  readonly bootFileSha256: string | null;
  /** Files with secrets beside the boot file that go with its import. */
  readonly consumed: readonly ConsumedFile[];
}

export interface ConsumedFile {
  readonly fileName: string;
  readonly sha256: string;
}

/** Before the first import. */
export const nothingImported: ImportedSettings = {
  tree: mapping(),
  files: {},
  wifiKeys: {},
  bootFileSha256: null,
  consumed: [],
};

/** In hexadecimal digits. */
export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
