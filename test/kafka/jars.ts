import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findCommand, runToEnd } from './processes.ts';

const CACHE_FOLDER = join(import.meta.dirname, '../../.kafka');

/** The folder with Kafka's server, fetched by Maven at the first call on this checkout. */
export const serverJars = (): Promise<string> => jars('pom-server.xml');

/** The folder with Kafka's tools, fetched by Maven at the first call on this checkout. */
export const toolJars = (): Promise<string> => jars('pom-tools.xml');

async function jars(pom: string): Promise<string> {
  requireCommand('java');
  return await fetchJars(join(import.meta.dirname, pom), CACHE_FOLDER);
}

/**
 * The folder below `cacheFolder` with the jars of a pom. Its name holds a hash of the pom, so that a changed pom is
 * fetched anew; it gets that name only when it is complete.
 * @throws Error if Maven is missing or fails, saying what to do
 */
export async function fetchJars(pomFile: string, cacheFolder: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(pomFile))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder, `${basename(pomFile, '.xml')}-${hash}`);
  if (existsSync(folder)) return folder;

  const maven = requireCommand('mvn');
  const unfinished = `${folder}.${randomUUID()}.unfinished`;
  try {
    await mkdir(unfinished, { recursive: true });
    const { code, stdout, stderr } = await runToEnd(maven, [
      '--quiet',
      '--batch-mode',
      `--file=${pomFile}`,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${unfinished}`,
    ]);
    if (code !== 0) {
      throw new Error(
        `Maven could not fetch the jars of ${pomFile}; run this again when it can reach its repository.\n${stdout}${stderr}`,
      );
    }
    await rename(unfinished, folder).catch((error: Error) => {
      // Another process may have been faster; its folder is as good as ours.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function requireCommand(name: 'java' | 'mvn'): string {
  const path = findCommand(name);
  if (path !== undefined) return path;
  throw new Error(
    `the tests with a real Apache Kafka need ${name}, which is not on the path; ` +
      'on Debian: apt-get install openjdk-17-jre-headless maven',
  );
}
