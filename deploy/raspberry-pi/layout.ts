const MIB = 1024 * 1024;
const SECTOR_BYTES = 512;
/** Cards erase in blocks of this size: one that is shared by two partitions is worn by both. */
const GRAIN_BYTES = 4 * MIB;
/** Kernel, initrd, firmware, and room for another kernel beside them. */
const BOOT_BYTES = 256 * MIB;
/** Two groups of ext4, so that the second one has a copy of the superblock. The first start makes it as large as the card lets. */
const DATA_BYTES = 256 * MIB;
/** Of the root, for what ext4 needs and for repairs by hand. */
const ROOT_SPARE = 0.15;

export interface Partition {
  readonly name: 'boot' | 'root' | 'data';
  /** As MBR writes it: FAT32 with LBA, Linux. */
  readonly type: 'c' | '83';
  readonly startBytes: number;
  readonly bytes: number;
}

/**
 * Where everything lies on the card. A master boot record, because the boot ROM of the Raspberry Pi 3 reads no other table; the
 * boot partition is first for the same reason, and the data partition is last, so that it can grow. Pure.
 */
export function layout(rootContentBytes: number): readonly Partition[] {
  const rootBytes = upToGrain(rootContentBytes * (1 + ROOT_SPARE));
  const boot: Partition = { name: 'boot', type: 'c', startBytes: GRAIN_BYTES, bytes: BOOT_BYTES };
  const root: Partition = { name: 'root', type: '83', startBytes: endOf(boot), bytes: rootBytes };
  return [boot, root, { name: 'data', type: '83', startBytes: endOf(root), bytes: DATA_BYTES }];
}

/** The size of the image. */
export const imageBytes = (partitions: readonly Partition[]): number =>
  Math.max(...partitions.map((partition) => endOf(partition)));

/** What sfdisk reads. Pure. */
export function partitionTable(partitions: readonly Partition[]): string {
  const lines = partitions.map(({ type, startBytes, bytes, name }) => {
    const bootable = name === 'boot' ? ', bootable' : '';
    return `start=${startBytes / SECTOR_BYTES}, size=${bytes / SECTOR_BYTES}, type=${type}${bootable}`;
  });
  return ['label: dos', 'unit: sectors', ...lines, ''].join('\n');
}

const endOf = ({ startBytes, bytes }: Partition): number => startBytes + bytes;
const upToGrain = (bytes: number): number => Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES;
