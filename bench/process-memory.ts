import { readFile } from 'node:fs/promises';

/** What a process has in memory, MB. */
export const rssOfProcess = (pid: number): Promise<number> => megabytesOf(pid, 'VmRSS');

/** The most that it had since it was started, MB. */
export const mostRssOfProcess = (pid: number): Promise<number> => megabytesOf(pid, 'VmHWM');

async function megabytesOf(pid: number, row: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`^${row}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
}
