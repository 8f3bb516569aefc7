import { createReadStream } from 'node:fs';

/**
 * All of a file, or null if it holds more than `bytesMax` bytes: a size asked for beforehand would not bound what a pipe or
 * a device gives.
 * @throws the error of the operating system
 */
export async function readAtMost(path: string, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: bytesMax })) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return bytes.length > bytesMax ? null : bytes;
}
