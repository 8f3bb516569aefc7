import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './commands.ts';
import { imageBytes, type Partition, partitionTable } from './layout.ts';

/** The same in every image: a card is written anew, and what differs between two builds should be what changed. */
const bootSerial = '48574254';
const rootUuid = '6865616d-7761-7465-7200-726f6f740001';
const dataUuid = '6865616d-7761-7465-7200-646174610001';

/** Makes the boot partition of all that is in a folder. */
export async function makeBoot(file: string, partition: Partition, content: string): Promise<void> {
  await rm(file, { force: true });
  await run('mkfs.vfat', [
    '-F',
    '32',
    '-n',
    'HWBOOT',
    '-i',
    bootSerial,
    '-C',
    file,
    String(partition.bytes / 1024),
  ]);
  const names = (await readdir(content)).toSorted();
  await run('mcopy', ['-s', '-i', file, ...names.map((name) => join(content, name)), '::']);
}

/** Makes the root partition of a root. */
export async function makeRootPartition(file: string, partition: Partition, root: string): Promise<void> {
  await rm(file, { force: true });
  const options = [
    '-q',
    '-F',
    '-b',
    '4096',
    '-L',
    'hwroot',
    '-U',
    rootUuid,
    '-m',
    '0',
    '-E',
    'lazy_itable_init=0',
  ];
  await run('mkfs.ext4', [...options, '-d', root, file, String(partition.bytes / 4096)]);
}

/** The most that a data partition can grow to, in blocks of 4 KiB: 1 TiB. */
const dataBlocksMax = 256 * 1024 * 1024;

/** Makes an empty data partition, with the tables that it needs to grow. */
export async function makeData(file: string, partition: Partition): Promise<void> {
  await rm(file, { force: true });
  const options = ['-q', '-F', '-b', '4096', '-L', 'hwdata', '-U', dataUuid, '-m', '1', '-T', 'default'];
  const growing = ['-E', `resize=${dataBlocksMax},lazy_itable_init=0`];
  await run('mkfs.ext4', [...options, ...growing, file, String(partition.bytes / 4096)]);
}

/** Puts partitions and their table together. */
export async function assemble(
  image: string,
  partitions: readonly Partition[],
  fileOf: (partition: Partition) => string,
): Promise<void> {
  await rm(image, { force: true });
  await writeFile(image, '');
  await truncate(image, imageBytes(partitions));
  await run('sfdisk', ['--quiet', image], { input: partitionTable(partitions) });
  for (const partition of partitions) {
    const at = ['bs=1M', `seek=${partition.startBytes}`, 'oflag=seek_bytes', 'conv=sparse,notrunc'];
    await run('dd', [`if=${fileOf(partition)}`, `of=${image}`, ...at]);
  }
}
