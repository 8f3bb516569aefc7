import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page as it is served. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Changes when the file does. */
  readonly etag: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const folder = fileURLToPath(new URL('../page/', import.meta.url));

/** Draws the plots: it comes from our own origin as everything else. */
const plotFiles: Readonly<Record<string, string>> = {
  'uplot.js': fileURLToPath(import.meta.resolve('uplot/dist/uPlot.esm.js')),
  'uplot.css': fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css')),
};

/** All files of the page by their names. What has no known kind is left out. Rejects with what the disk says. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const own = (await readdir(folder)).map((name) => [name, join(folder, name)] as const);
  const files = new Map<string, PageFile>();
  for (const [name, path] of [...own, ...Object.entries(plotFiles)]) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const bytes = await readFile(path);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(name, { bytes, contentType, etag });
  }
  return files;
}
