import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { saveResult } from '../result.ts';
import { NotASeriesError } from './csv-series.ts';
import { evaluate } from './evaluate.ts';
import { headwaterDetector } from './headwater-detector.ts';
import { readCorpus } from './nab-corpus.ts';
import { writeScores } from './write-scores.ts';

const USAGE = `How well the detectors do. Ends with one summary line.

  npm run eval [-- --data DIR] [--save]
      scores them as the Numenta Anomaly Benchmark (NAB) does, and injects sensor faults into its series;
      DIR has NAB's folders data and labels and its profiles.json: ../shared/nab if nothing is said;
      --save writes bench/results/anomaly-eval.json
  npm run eval -- --csv DIR --out DIR2
      writes timestamp,value,anomaly_score,label for each timestamp,value CSV file in DIR and below, into DIR2 as NAB has its results;
      rows within windows of DIR/../labels/combined_windows.json, if it is there, have the label 1`;

const WHERE_FROM = `It is in the repository numenta/NAB on GitHub (MIT license): clone it, and give its folder as --data.`;

function leave(exitCode: number, text: string): never {
  (exitCode === 0 ? console.log : console.error)(text);
  process.exit(exitCode);
}

function parsed() {
  try {
    return parseArgs({
      options: {
        data: { type: 'string', default: join(import.meta.dirname, '../../../shared/nab') },
        csv: { type: 'string' },
        out: { type: 'string' },
        save: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return leave(2, `${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

async function writeAll(from: string, to: string): Promise<void> {
  const isFolder = await stat(from).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) leave(2, `there is no folder ${from}`);
  const files = await writeScores(headwaterDetector, from, to);
  if (files === 0) leave(1, `there is no CSV file in ${from}`);
  console.log(`wrote the scores of ${files} series into ${join(to, headwaterDetector.name)}`);
}

async function evaluateAll(folder: string, isSaved: boolean): Promise<number> {
  const corpus = await readCorpus(folder);
  if (corpus === null) leave(2, `The Numenta Anomaly Benchmark (NAB) is not in ${folder}. ${WHERE_FROM}`);
  const result = evaluate(corpus);
  if (isSaved) await saveResult('anomaly-eval', result);
  console.log(result.summary);
  return result.broken.length === 0 ? 0 : 1;
}

const { data, csv, out, save, help } = parsed();
if (help) leave(0, USAGE);
if ((csv === undefined) !== (out === undefined)) leave(2, USAGE);
try {
  if (csv !== undefined && out !== undefined) await writeAll(csv, out);
  else process.exitCode = await evaluateAll(resolve(data), save);
} catch (error) {
  if (error instanceof NotASeriesError) leave(1, error.message);
  throw error;
}
