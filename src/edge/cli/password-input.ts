import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { readAtMost } from '../../platform/bounded-file.ts';
import type { Terminal } from './terminal.ts';

/**
 * A password from a file, or asked for twice without an echo, or if nobody is there the first line of standard input. Never
 * from the command line, which all users of the machine can see.
 * @throws OperatingError `bad-input`
 */
export async function readPassword(terminal: Terminal, file: string | undefined): Promise<string> {
  if (file !== undefined) return await passwordOf(resolve(terminal.workingDirectory, file));
  return terminal.isInteractive ? await asked(terminal) : await firstLine(terminal);
}

async function passwordOf(path: string): Promise<string> {
  let bytes: Buffer | null;
  try {
    bytes = await readAtMost(path, limits.answerLengthMax);
  } catch (error) {
    throw new OperatingError('bad-input', `the password file cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (bytes === null) throw new OperatingError('bad-input', `${path} is too long to hold a password`);
  return withoutLineEnd(bytes.toString('utf8'));
}

/** Typed, and typed again: nobody sees a typing error. */
async function asked({ input, errors }: Terminal): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal: true, historySize: 0 });
  // In this mode Ctrl-C is a key like any other.
  lines.on('SIGINT', () => lines.close());
  const typed = lines[Symbol.asyncIterator]();
  const answerTo = async (question: string): Promise<string> => {
    await errors.write(question);
    const { value, done } = await typed.next();
    await errors.write('\n');
    if (done === true) throw new OperatingError('bad-input', 'no password was given; nothing is changed');
    return value;
  };
  try {
    const password = await answerTo('Password: ');
    if ((await answerTo('The same again: ')) === password) return password;
    throw new OperatingError('bad-input', 'the two passwords differ; nothing is changed');
  } finally {
    lines.close();
  }
}

async function firstLine({ input }: Terminal): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.includes('\n') || text.length > limits.answerLengthMax) break;
  }
  const [line = ''] = text.split('\n');
  if (line !== '') return withoutLineEnd(line);
  const advice = 'write it to standard input, or name the file that holds it: --password-file FILE';
  throw new OperatingError('bad-input', `no password was given; ${advice}`);
}

const withoutLineEnd = (text: string): string => text.replace(/\r?\n?$/, '');
