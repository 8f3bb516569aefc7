import { describe, expect, test } from 'vitest';
import { type Report, type Step, tally } from '../.ci/tally.ts';

const step = (exitCode: number, report: Step['report']): Step => ({ name: 'npm test', exitCode, report });

const reportOf = (...files: readonly (readonly [status: string, ...tests: string[]])[]): Report => ({
  testResults: files.map(([status, ...tests], number) => ({
    name: `${number}.test.ts`,
    status,
    assertionResults: tests.map((result, index) => ({ status: result, fullName: `test ${index}` })),
  })),
});

describe('a step without a report is one test', () => {
  test('that passes with exit code 0', () => {
    expect(tally(step(0, null))).toEqual({ passed: 1, failed: [] });
  });

  test('that fails with any other', () => {
    expect(tally(step(1, null))).toEqual({ passed: 0, failed: ['npm test'] });
  });
});

describe('a tier counts its tests', () => {
  test('those that passed and those that failed, not those that were skipped', () => {
    const report = reportOf(['passed', 'passed', 'skipped'], ['failed', 'failed', 'passed']);
    expect(tally(step(1, report))).toEqual({ passed: 2, failed: ['npm test: test 0'] });
  });

  test('a file that could not be loaded as one that failed', () => {
    const report = reportOf(['passed', 'passed'], ['failed']);
    expect(tally(step(1, report))).toEqual({ passed: 1, failed: ['npm test: 1.test.ts'] });
  });

  test('an end by the time limit as one that failed', () => {
    expect(tally(step(124, undefined))).toEqual({ passed: 0, failed: ['npm test: exit code 124'] });
  });

  test('a bad end after good tests as one that failed', () => {
    const report = reportOf(['passed', 'passed']);
    expect(tally(step(1, report))).toEqual({ passed: 1, failed: ['npm test: exit code 1'] });
  });

  test('no tests at all as one that failed', () => {
    expect(tally(step(0, reportOf()))).toEqual({ passed: 0, failed: ['npm test: exit code 0'] });
  });
});
