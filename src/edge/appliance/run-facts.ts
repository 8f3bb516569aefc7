import { limits } from '../../core/limits.ts';
import { type ApplianceDisk, replaceOnCard } from './appliance-disk.ts';
import { isMapping } from './settings-tree.ts';

/** What `prepare` leaves for `announce`, until the next start. */
export interface RunFacts {
  readonly hostName: string;
  readonly importErrors: readonly string[];
  readonly problems: readonly string[];
  readonly closed: readonly string[];
  readonly stillCounting: readonly string[];
}

const RUN_FILE = 'prepared.json';

/** @throws the error of the operating system */
export async function writeRunFacts(disk: ApplianceDisk, folder: string, facts: RunFacts): Promise<void> {
  await disk.makeFolder(folder, 'everybody');
  await replaceOnCard(disk, folder, RUN_FILE, `${JSON.stringify(facts)}\n`);
}

/** What this start has left; null if it did not get so far. */
export async function readRunFacts(disk: ApplianceDisk, folder: string): Promise<RunFacts | null> {
  try {
    const bytes = await disk.read(`${folder}/${RUN_FILE}`, limits.systemFileBytesMax);
    const content: unknown = bytes === null ? null : JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (!isMapping(content) || typeof content['hostName'] !== 'string') return null;
    const texts = (name: string): readonly string[] => {
      const list = content[name];
      return Array.isArray(list) ? list.map(String) : [];
    };
    return {
      hostName: content['hostName'],
      importErrors: texts('importErrors'),
      problems: texts('problems'),
      closed: texts('closed'),
      stillCounting: texts('stillCounting'),
    };
  } catch {
    return null;
  }
}
