import { appendPart } from './log/append.ts';
import { devicePart } from './log/device.ts';
import type { Part, PartOptions } from './log/part.ts';
import { readPart } from './log/read.ts';
import { reopenPart } from './log/reopen.ts';
import { sealPart } from './log/seal.ts';
import { saveResult } from './result.ts';

const parts: Readonly<Record<string, Part>> = {
  append: appendPart,
  device: devicePart,
  seal: sealPart,
  read: readPart,
  reopen: reopenPart,
};

export const logParts = Object.keys(parts);

/**
 * Measures one part of the log, or all, and keeps each as a result of its own if asked. Returns whether all promises
 * held.
 */
export async function logBenchmark(
  part: string | undefined,
  options: PartOptions & { readonly save: boolean },
): Promise<boolean> {
  let held = true;
  for (const [name, measure] of Object.entries(parts)) {
    if (part !== undefined && part !== name) continue;
    console.log(`\n${name}`);
    const result = await measure(options);
    if (options.save) await saveResult(`log-${name}`, result);
    console.log(`${name}: ${result.summary}`);
    held &&= result.broken.length === 0;
  }
  return held;
}
