/** What the operating system says of the block device under a folder. */
export interface StorageDevice {
  /** As in `/sys/block`: `mmcblk0p3`. */
  readonly name: string;
  /** Whether the system is on it as well, so that its counter holds more than the folder's writes. */
  readonly isShared: boolean;
  /** What the device was given since the machine started, by everybody who writes to it. */
  readonly bytesWritten: number;
  /** What an eMMC says of itself; null where there is no such counter, as on every SD card. */
  readonly life: DeviceLife | null;
}

/** An eMMC's own estimate (JEDEC JESD84-B51, EXT_CSD 267 to 269). */
export interface DeviceLife {
  /** How much of its life is used up at most, the more worn of its two areas: 0.1, 0.2 … 1; 1.1 if it is exceeded. */
  readonly usedShareMax: number;
  /** Its reserve of good blocks; null if it does not say. */
  readonly reserve: 'normal' | 'low' | 'nearly used up' | null;
}

/** Looks at the device now; null if the folder has none, as on overlay, tmpfs and network file systems. Never rejects. */
export type ReadStorageDevice = () => Promise<StorageDevice | null>;
