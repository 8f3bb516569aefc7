import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { median, type Result, rounded } from '../result.ts';
import { dropPageCache } from './page-cache.ts';
import { type PartOptions, partResult, printTable } from './part.ts';
import type { StoredMessage } from './stored-child.ts';

const GB = 1e9;
const LITTLE_GB = 0.2;
const OPEN_GOAL_MS = 1000;
/** Openings that differ by less are called equal: one read of the newest journal file varies by as much. */
const EQUAL_MS = 200;
const RSS_GOAL_MB = 120;
const ROOT = resolve(import.meta.dirname, '../..');
const CHILD = 'bench/log/stored-child';

interface Opened {
  readonly ms: number;
  readonly rssMb: number;
  readonly rssMbMax: number;
}

/** Opening a log again whose process was killed, with nothing in the page cache, and its memory while all is read. */
export async function reopenPart({ repeat, storedGb }: PartOptions): Promise<Result> {
  await using emitted = await emit();
  const source = join(ROOT, `${CHILD}.ts`);
  const script = join(emitted.path, `${CHILD}.js`);
  const broken: string[] = [];
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const opened = new Map<string, Opened>();
  for (const gb of [LITTLE_GB, storedGb]) {
    await using folder = await temporaryFolder();
    const records = await fillAndKill(source, folder.path, gb * GB);
    for (const [as, child] of [
      ['emitted', script],
      ['source', source],
    ] as const) {
      const runs: Opened[] = [];
      for (let run = 0; run < repeat; run++)
        runs.push(await openAndKill(child, folder.path, records, broken));
      const of = (key: keyof Opened): number => rounded(median(runs.map((one) => one[key])));
      const name = `${gb} GB, ${as}`;
      opened.set(name, { ms: of('ms'), rssMb: of('rssMb'), rssMbMax: of('rssMbMax') });
      figures[`${name}, opening, ms`] = of('ms');
      figures[`${name}, RSS once open, MB`] = of('rssMb');
      figures[`${name}, RSS at most while reading all, MB`] = of('rssMbMax');
      rows.push([name, String(of('ms')), String(of('rssMb')), String(of('rssMbMax'))]);
    }
  }
  printTable(['', 'opening, ms', 'RSS once open, MB', 'at most while reading, MB'], rows);
  const of = (gb: number, as: string): Opened => {
    const found = opened.get(`${gb} GB, ${as}`);
    if (found === undefined) throw new Error('every size is opened as source and as emitted');
    return found;
  };
  const [little, much] = [of(LITTLE_GB, 'emitted'), of(storedGb, 'emitted')];
  const fromSource = `${of(storedGb, 'source').rssMbMax} and ${of(LITTLE_GB, 'source').rssMbMax} MB`;
  const goals = [
    {
      goal: `opening ${storedGb} GB after SIGKILL ≤ ${OPEN_GOAL_MS} ms, and as ${LITTLE_GB} GB`,
      got: `${much.ms} ms and ${little.ms} ms`,
      isMet: much.ms <= OPEN_GOAL_MS && much.ms - little.ms <= EQUAL_MS,
    },
    {
      goal: `RSS while reading ${storedGb} GB, and ${LITTLE_GB} GB, ≤ ${RSS_GOAL_MB} MB as emitted JavaScript`,
      got: `${much.rssMbMax} and ${little.rssMbMax} MB (from source ${fromSource})`,
      isMet: Math.max(much.rssMbMax, little.rssMbMax) <= RSS_GOAL_MB,
    },
  ];
  return partResult(figures, goals, broken);
}

/** The code as JavaScript, in a folder of its own beside the packages that it needs. */
async function emit(): Promise<Awaited<ReturnType<typeof temporaryFolder>>> {
  const folder = await temporaryFolder();
  const compiler = join(ROOT, 'node_modules/.bin/tsc');
  const options = ['--noEmit', 'false', '--rootDir', ROOT, '--outDir', folder.path];
  await promisify(execFile)(compiler, ['-p', join(ROOT, 'tsconfig.json'), ...options]);
  await symlink(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
  return folder;
}

/** Returns how many records were stored at least when the process was killed, which was appending more. */
async function fillAndKill(child: string, folder: string, bytes: number): Promise<number> {
  const process = fork(child, ['fill', folder, String(bytes)]);
  try {
    const stored = await message(process, 'stored');
    return stored.records;
  } finally {
    await kill(process);
  }
}

async function openAndKill(
  child: string,
  folder: string,
  records: number,
  broken: string[],
): Promise<Opened> {
  await dropPageCache(folder);
  const process = fork(child, ['open', folder]);
  try {
    const read = message(process, 'read');
    const opened = await message(process, 'opened');
    const { records: found, rssBytesMax } = await read;
    if (found < records) broken.push(`${records} records were acknowledged, ${found} are read back`);
    return { ms: opened.ms, rssMb: opened.rssBytes / 1e6, rssMbMax: rssBytesMax / 1e6 };
  } finally {
    await kill(process);
  }
}

async function kill(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

/** The next message of a kind. @throws if the process ends before */
function message<Kind extends StoredMessage['kind']>(
  process: ChildProcess,
  kind: Kind,
): Promise<Extract<StoredMessage, { kind: Kind }>> {
  return new Promise((found, reject) => {
    process.on('message', (received: StoredMessage) => {
      if (received.kind === kind) found(received as Extract<StoredMessage, { kind: Kind }>);
    });
    process.once('exit', (code) => reject(new Error(`the process with the log ended early, with ${code}`)));
  });
}
