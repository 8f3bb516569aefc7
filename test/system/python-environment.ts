import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

/** How long it may take to make one. */
export const INSTALL_MS_MAX = 180_000;

/** A virtual environment of Python. */
export interface PythonEnvironment {
  /** Its interpreter. */
  readonly python: string;
  remove(): Promise<void>;
}

/** Makes one with what a requirements file wants. */
export async function pythonEnvironment(requirements: string): Promise<PythonEnvironment> {
  const folder = await temporaryFolder();
  const created = await runProgram('python3', ['-m', 'venv', folder.path]);
  expect(created, 'install it with: apt-get install python3-venv').toMatchObject({ code: 0 });
  const python = join(folder.path, 'bin/python');
  const options = ['--quiet', '--no-compile', '-r', requirements];
  expect(await runProgram(python, ['-m', 'pip', 'install', ...options])).toMatchObject({ code: 0 });
  return {
    python,
    remove: async () => {
      await folder[Symbol.asyncDispose]();
    },
  };
}
