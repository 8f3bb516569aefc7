import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU that a process has used so far, in user and system mode, all threads. */
export const cpuSecondsOf = (pid: number): number => ticks(pid, 11) + ticks(pid, 12);

/** The same for the children of this process that have ended. */
export const cpuSecondsOfEndedChildren = (): number => ticks(process.pid, 13) + ticks(process.pid, 14);

/** A field of `/proc/<pid>/stat`, counted from the one after the name, which may hold spaces itself. */
function ticks(pid: number, index: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[index]) / TICKS_PER_SECOND;
}
