import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/*
 * Counts what `.ci/run` did: `node .ci/tally.ts FILE`, each line of FILE `name<TAB>exit code<TAB>report`, the report
 * being a JSON file of vitest or empty. The last line printed is `N passed, N failed`.
 */

/** One command of `.ci/run`. */
export interface Step {
  readonly name: string;
  readonly exitCode: number;
  /** Vitest's JSON report, null if the step has none, undefined if it should have written one and did not. */
  readonly report: Report | null | undefined;
}

/** What is read of vitest's JSON report. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  /** What failed, by name. */
  readonly failed: readonly string[];
}

/** The tests of a step. A step without a report is one test; one that failed with nothing to show for it failed once. */
export function tally({ name, exitCode, report }: Step): Tally {
  if (report === null) return exitCode === 0 ? { passed: 1, failed: [] } : { passed: 0, failed: [name] };
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failed = [
    ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => `${name}: ${fullName}`),
    // Such a file could not be loaded, or failed outside its tests.
    ...files
      .filter(({ status, assertionResults }) => status === 'failed' && assertionResults.every(isNotFailed))
      .map((file) => `${name}: ${file.name}`),
  ];
  const hasProved = exitCode === 0 && passed > 0;
  return { passed, failed: hasProved || failed.length > 0 ? failed : [`${name}: exit code ${exitCode}`] };
}

const isNotFailed = ({ status }: { readonly status: string }): boolean => status !== 'failed';

function readStep(line: string): Step {
  const [name = '', exitCode = '', path = ''] = line.split('\t');
  return { name, exitCode: Number(exitCode), report: path === '' ? null : readReport(path) };
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    // A step that was killed wrote none, or half of one.
    return undefined;
  }
}

function main(stepsFile: string): number {
  const lines = readFileSync(stepsFile, 'utf8').split('\n');
  const tallies = lines.filter((line) => line !== '').map((line) => tally(readStep(line)));
  const failed = tallies.flatMap((one) => one.failed);
  for (const name of failed) console.log(`failed: ${name}`);
  console.log(`${tallies.reduce((sum, { passed }) => sum + passed, 0)} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

const [, script = '', stepsFile] = process.argv;
if (stepsFile !== undefined && import.meta.url === pathToFileURL(script).href)
  process.exitCode = main(stepsFile);
