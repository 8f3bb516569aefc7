import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';

export interface Result {
  /** `goal -, got …`. */
  readonly summary: string;
  /** Promises that did not hold while measuring; empty if all did. */
  readonly broken: readonly string[];
  /** Medians, with units in their names. */
  readonly figures: Readonly<Record<string, number>>;
}

export async function saveResult(name: string, { figures }: Result): Promise<void> {
  const folder = join(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    arch: arch(),
    kernel: release(),
  };
  const content = { date: new Date().toISOString().slice(0, 10), node: process.version, machine, figures };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const rounded = (value: number): number => Number(value.toPrecision(3));
