import { limits } from '../core/limits.ts';
import type { Finding } from '../forwarder/kafka/kafka-findings.ts';
import type { FileSystem } from '../platform/file-system.ts';
import { type CertificatesExamination, certificateFindings } from './certificate-findings.ts';
import { formatSize } from './config/quantities.ts';

/** What the doctor has found out about the machine and the data folder. */
export interface MachineExamination {
  readonly dataDir: string;
  readonly isClockSet: boolean;
  /** `absent` before the first start; else what stands in the way, such as "cannot be written: EACCES". */
  readonly folder: 'there' | 'absent' | { readonly trouble: string };
  /** Milliseconds of one durable write each; empty if the folder is not there. */
  readonly flushMs: readonly number[];
  readonly fileSystem: FileSystem | null;
  readonly freeBytes: number | null;
  /** What the data folder may take; null if the gateway decides. */
  readonly budgetBytes: number | null;
  /** Of a Raspberry Pi; null elsewhere. */
  readonly throttledBits: number | null;
  readonly certificates: readonly CertificatesExamination[];
  /** Files with secrets in the data folder that others may read. */
  readonly openFiles: readonly string[];
  /** What is unwise about files with secrets that the configuration names, each with what to do. */
  readonly secretWarnings: readonly string[];
  readonly nowMs: number;
}

/** What an examination means, the most basic things first. Pure. */
export function machineFindings(examined: MachineExamination): readonly Finding[] {
  return [
    examined.isClockSet
      ? finding('ok', 'clock', 'set')
      : finding(
          'warning',
          'clock',
          'not set: let this device reach a time server; records are stored meanwhile, and corrected then',
        ),
    powerFinding(examined.throttledBits),
    folderFinding(examined),
    ...flushFindings(examined.flushMs),
    ...fileSystemFindings(examined.fileSystem),
    ...roomFindings(examined),
    ...certificateFindings(examined.certificates, examined.nowMs),
    ...secretFindings(examined),
  ];
}

const now = { underVoltage: 0x1, throttled: 0x4 };
const since = { underVoltage: 0x10000 };

function powerFinding(bits: number | null): Finding {
  const remedy =
    'use the power supply that is made for this board, and a short cable; power failures damage cards';
  if (bits === null) return finding('ok', 'power', 'not a Raspberry Pi, so nothing tells of its supply');
  if ((bits & now.underVoltage) !== 0)
    return finding('wrong', 'power', `the voltage is too low now: ${remedy}`);
  if ((bits & since.underVoltage) !== 0)
    return finding('warning', 'power', `the voltage was too low since the machine was started: ${remedy}`);
  if ((bits & now.throttled) !== 0)
    return finding('warning', 'power', 'the processor is slowed down: cool the board');
  return finding('ok', 'power', 'the voltage was never too low since the machine was started');
}

function folderFinding({ folder, dataDir }: MachineExamination): Finding {
  if (folder === 'there') return finding('ok', 'data folder', `${dataDir} can be written`);
  if (folder === 'absent')
    return finding(
      'ok',
      'data folder',
      `${dataDir} is not there yet; the gateway makes it when it first starts`,
    );
  const advice = 'let the user of the gateway write there, or set data.dir to another folder';
  return finding('wrong', 'data folder', `${dataDir} ${folder.trouble}; ${advice}`);
}

function flushFindings(times: readonly number[]): readonly Finding[] {
  if (times.length === 0) return [];
  const sorted = times.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  const measured = `a durable write takes ${median.toFixed(1)} ms, ${worst.toFixed(1)} ms at worst of ${times.length}`;
  const meaning = `so a device that waits for each answer can send ${Math.floor(1000 / Math.max(median, 1))} readings/s`;
  return median > limits.doctorFlushMsMax
    ? [finding('warning', 'flush', `${measured}, ${meaning}: take a faster card (class A1 or A2)`)]
    : [finding('ok', 'flush', `${measured}, ${meaning}; many together can send far more`)];
}

const inMemory: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);
const withoutPromise: ReadonlySet<string> = new Set([
  'overlay',
  'nfs',
  'nfs4',
  'cifs',
  'vfat',
  'exfat',
  '9p',
]);

function fileSystemFindings(fileSystem: FileSystem | null): readonly Finding[] {
  if (fileSystem === null) return [];
  const { kind, options } = fileSystem;
  const about = 'file system';
  if (inMemory.has(kind))
    return [
      finding(
        'wrong',
        about,
        `${kind} is memory, which a power cut empties: set data.dir to a folder on the card`,
      ),
    ];
  if (options.includes('nobarrier') || options.includes('barrier=0'))
    return [
      finding(
        'wrong',
        about,
        `${kind} is mounted without barriers, so what is durable is lost in a power cut: remove nobarrier from /etc/fstab`,
      ),
    ];
  if (withoutPromise.has(kind))
    return [
      finding(
        'warning',
        about,
        `${kind} does not keep what was made durable in every power cut: set data.dir to a folder on ext4`,
      ),
    ];
  return [finding('ok', about, kind)];
}

function roomFindings({ freeBytes, budgetBytes }: MachineExamination): readonly Finding[] {
  if (freeBytes === null) return [];
  const free = formatSize(Math.floor(freeBytes / 2 ** 20) * 2 ** 20);
  if (freeBytes < limits.budgetBytesMin)
    return [finding('warning', 'room', `only ${free} are free on the disk: make room, or lower data.budget`)];
  const more =
    budgetBytes === null
      ? ''
      : `; data.budget is ${formatSize(budgetBytes)}, what is stored already included`;
  return [finding('ok', 'room', `${free} are free${more}`)];
}

function secretFindings({ folder, openFiles, secretWarnings }: MachineExamination): readonly Finding[] {
  const isFolderSafe = folder === 'there' && openFiles.length === 0;
  return [
    ...(isFolderSafe
      ? [finding('ok', 'secrets', 'nobody else can read the files of the data folder with secrets')]
      : []),
    ...openFiles.map((path) =>
      finding('wrong', 'secrets', `others may read ${path}: take that right away: chmod 600 ${path}`),
    ),
    ...secretWarnings.map((warning) => finding('warning', 'secrets', warning)),
  ];
}

const finding = (level: Finding['level'], about: string, text: string): Finding => ({ level, about, text });
