import { expect, test } from 'vitest';
import { type MachineExamination, machineFindings } from '../../src/edge/machine-findings.ts';
import { fileSystemIn } from '../../src/platform/file-system.ts';

const nowMs = Date.UTC(2026, 0, 1);

const well: MachineExamination = {
  dataDir: '/d',
  isClockSet: true,
  folder: 'there',
  flushMs: [2, 9, 4],
  fileSystem: { kind: 'ext4', options: ['rw'] },
  freeBytes: 2 ** 30,
  budgetBytes: null,
  throttledBits: 0,
  certificates: [],
  openFiles: [],
  secretWarnings: [],
  nowMs,
};

test('a good machine has no warning, and its flush is told as median and worst', () => {
  const findings = machineFindings(well);
  expect(new Set(findings.map(({ level }) => level))).toEqual(new Set(['ok']));
  expect(findings.find(({ about }) => about === 'flush')?.text).toMatch(
    /^a durable write takes 4\.0 ms, 9\.0 ms at worst of 3, so .* 250 readings\/s/,
  );
});

test.each<[Partial<MachineExamination>, 'warning' | 'wrong', RegExp]>([
  [{ isClockSet: false }, 'warning', /time server/],
  [{ throttledBits: 0x1 }, 'wrong', /too low now: use the power supply/],
  [{ throttledBits: 0x50000 }, 'warning', /was too low/],
  [{ throttledBits: 0x4 }, 'warning', /cool the board/],
  [
    { folder: { trouble: 'cannot be made: EACCES' }, flushMs: [] },
    'wrong',
    /^\/d cannot be made: EACCES; let the user/,
  ],
  [{ flushMs: [51] }, 'warning', /faster card/],
  [{ fileSystem: { kind: 'tmpfs', options: [] } }, 'wrong', /power cut empties/],
  [{ fileSystem: { kind: 'ext4', options: ['rw', 'nobarrier'] } }, 'wrong', /remove nobarrier/],
  [{ fileSystem: { kind: 'overlay', options: [] } }, 'warning', /on ext4/],
  [{ freeBytes: 2 ** 20 }, 'warning', /only 1MiB are free/],
  [
    { certificates: [{ section: 's', problems: ['copy it'], making: null, files: [] }] },
    'wrong',
    /^copy it$/,
  ],
  [{ secretWarnings: ['chmod it'] }, 'warning', /^chmod it$/],
  [{ openFiles: ['/d/admin.token'] }, 'wrong', /chmod 600 \/d\/admin\.token/],
])('%j is told with what to do', (part, level, words) => {
  const bad = machineFindings({ ...well, ...part }).filter((finding) => finding.level !== 'ok');
  expect(bad).toEqual([{ level, about: expect.any(String), text: expect.stringMatching(words) }]);
});

test('nothing is said to be safe in a data folder that is not there, or cannot be looked into', () => {
  for (const folder of ['absent', { trouble: 'cannot be written: EACCES' }] as const) {
    const found = machineFindings({ ...well, folder, flushMs: [] });
    expect(found.filter(({ about }) => about === 'secrets')).toEqual([]);
  }
});

test('the file system of a path is that of the deepest mount above it', () => {
  const mounts = [
    '1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw',
    '2 1 0:5 / /data rw - tmpfs tmpfs rw,size=1k',
    '3 1 0:6 / /my\\040card rw,noatime - vfat /dev/sda1 rw',
  ].join('\n');
  expect(fileSystemIn(mounts, '/data/x')?.kind).toBe('tmpfs');
  expect(fileSystemIn(mounts, '/database')?.kind).toBe('ext4');
  expect(fileSystemIn(mounts, '/my card')).toEqual({ kind: 'vfat', options: ['rw', 'noatime', 'rw'] });
  expect(fileSystemIn('', '/')).toBeNull();
});
