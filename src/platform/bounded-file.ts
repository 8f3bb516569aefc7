import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { OperatingError } from '../core/errors.ts';

/**
 * All of a file, or null if it holds more than `bytesMax` bytes: a size asked for beforehand would not bound what a pipe or
 * a device gives.
 * @throws the error of the operating system
 */
export function readAtMost(path: string, bytesMax: number): Promise<Buffer | null> {
  return within(createReadStream(path, { end: bytesMax }), bytesMax);
}

/**
 * The same of what has to be a file, as in a data folder: the administrator reads there what the gateway's user may have put
 * there, and a pipe would be waited for.
 * @throws the error of the operating system, OperatingError `data-folder-unusable` if it is no file
 */
export async function readFileAtMost(path: string, bytesMax: number): Promise<Buffer | null> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile())
    throw new OperatingError('data-folder-unusable', `${path} is no file: remove it`);
  return await within(file.createReadStream({ end: bytesMax, autoClose: false }), bytesMax);
}

async function within(stream: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return bytes.length > bytesMax ? null : bytes;
}
