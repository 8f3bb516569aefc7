import { readFile } from 'node:fs/promises';
import { exampleComments } from '../config/example-comments.ts';
import { settingShape } from '../config/schema.ts';
import { configSchema } from '../config/setting-schema.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

const example = new URL('../../../headwater.example.yaml', import.meta.url);

/** `headwater config schema`: what settings are for is what the example says above them. */
export async function printSchema(terminal: Terminal): Promise<ExitCode> {
  const comments = exampleComments(await readFile(example, 'utf8'));
  const schema = configSchema(settingShape(''), (path) => comments.get(path));
  await terminal.output.write(`${JSON.stringify(schema, undefined, 2)}\n`);
  return exitCodes.ok;
}
