import { setImmediate } from 'node:timers/promises';
import { allDetectors } from '../../src/anomaly/all-detectors.ts';
import { SeriesSettingsBook } from '../../src/anomaly/series/series-settings.ts';
import { SeriesTable } from '../../src/anomaly/series/series-table.ts';
import type { StatesEnd } from '../../src/anomaly/states/state-file.ts';
import { StateFiles } from '../../src/anomaly/states/state-files.ts';
import { StateSaver } from '../../src/anomaly/states/state-saver.ts';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type Metrics, noMetrics } from '../../src/core/metrics.ts';
import { prepareDataFolder } from '../../src/platform/data-folder.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';

const MINUTES_OF_DAY = 24 * 60;
const MINUTE_MS = 60_000;

/** How the states of detectors are saved within a day. */
export interface SavedStates {
  readonly mebibytes: number;
  readonly saves: number;
}

/**
 * What a day writes to the card if so many series have readings in each minute: by what saves states in the daemon, on a real disk, in
 * virtual time.
 */
export async function savedInADay(series: number): Promise<SavedStates> {
  await using folder = await temporaryFolder();
  const clock = new ManualClock();
  const files = new StateFiles(new NodeDisk(await prepareDataFolder(folder.path)), {
    logId: '00'.repeat(16),
    detection: allDetectors.version,
  });
  await files.load();
  const table = new SeriesTable({
    seriesMax: series,
    settings: new SeriesSettingsBook([]),
    newState: () => allDetectors.newState(),
    onRemoved: () => {},
    metrics: noMetrics,
  });
  const partition = table.of('readings', 0);
  for (let index = 0; index < series; index += 1) table.use(partition, `sensors/${index}`, 'temperature', 0);
  const saved = { bytes: 0, saves: 0, begun: 0 };
  const metrics: Metrics = {
    ...noMetrics,
    add: (_name, bytes) => {
      saved.bytes += bytes;
      saved.saves += 1;
    },
  };
  const bytesPerDay = limits.stateBytesPerDayDefault;
  const saver = new StateSaver({ files, series: table, clock, bytesPerDay, logger: silentLogger, metrics });
  for (let minute = 1; minute <= MINUTES_OF_DAY; minute += 1) {
    for (const one of table) one.nextOffset += 1;
    clock.pass(MINUTE_MS);
    const ends = (): StatesEnd[] => {
      saved.begun += 1;
      return [{ topic: 'readings', partition: 0, offset: minute }];
    };
    saver.saveIfDue(ends, async () => {});
    do await setImmediate();
    while (saved.saves < saved.begun);
  }
  return { mebibytes: saved.bytes / 2 ** 20, saves: saved.saves };
}
