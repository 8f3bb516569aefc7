import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { version } from '../../src/edge/version.ts';
import { FakeGateway } from './cli/fake-gateway.ts';

const main = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a line of shell in which `headwater` is the product. */
const shell = (line: string): Promise<Ended> =>
  new Promise((resolve) => {
    const script = `headwater() { '${process.execPath}' '${main}' "$@"; }; set -o pipefail; ${line}`;
    execFile('bash', ['-c', script], { timeout: 15_000 }, (error, output, errors) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        output,
        errors,
      });
    });
  });

let gateway: FakeGateway;

beforeEach(async () => {
  gateway = await FakeGateway.start();
});

afterEach(() => gateway.remove());

describe('the headwater command', () => {
  it('prints its version', async () => {
    expect(await shell('headwater --version')).toEqual({
      code: 0,
      output: `${packageFile.version}\n`,
      errors: '',
    });
    expect(version).toBe(packageFile.version);
  });

  it('ends with the exit code of the command', async () => {
    await gateway.crash();
    expect(await shell(`headwater status --set data.dir=${gateway.folder}`)).toMatchObject({
      code: 3,
      output: '',
    });
    expect(await shell('headwater status --set log.level=loud')).toMatchObject({ code: 2, output: '' });
  });

  it('stops quietly and with 0 when the reader of its output does', async () => {
    gateway.answer = (_, response) => {
      const lines = '{"value":"reading"}\n'.repeat(10_000);
      const more = (): void => {
        if (!response.destroyed) response.write(lines, () => setImmediate(more));
      };
      more();
    };
    const line = `headwater consume readings --from-beginning --follow --set data.dir=${gateway.folder} | head -2`;
    expect(await shell(line)).toEqual({ code: 0, output: 'reading\nreading\n', errors: '' });
  });
});
