/** Writes the documents that are made of tables in the code. */
import { writeFile } from 'node:fs/promises';
import { metricsDocument } from './support/metrics-document.ts';

await writeFile(new URL('../METRICS.md', import.meta.url), metricsDocument());
