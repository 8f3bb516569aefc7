import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runDemo } from './demo.ts';
import { displayOn } from './display.ts';
import { lineText, wrapped } from './styled-text.ts';
import type { Claim } from './summary.ts';

const usage = `npm run demo [-- --seconds N]

Starts a gateway in a temporary folder, replays the recorded temperature of a machine until after its failure, and shows what arrives, what
is stored, and what is found. Ends by itself and leaves nothing behind.

  --seconds N   how long the replay takes (default 40; 0: as fast as it goes)`;

const exitCodes = { shown: 0, failed: 1, usage: 2, interrupted: 130 } as const;
const textColumnsMax = 110;

const out = process.stdout;
// Its reader may go, as with "| head".
out.on('error', () => process.exit(exitCodes.failed));

process.exitCode = await main();

async function main(): Promise<number> {
  const seconds = secondsAsked();
  if (seconds === null) {
    process.stderr.write(`${usage}\n`);
    return exitCodes.usage;
  }
  const interrupted = new AbortController();
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      signals += 1;
      if (signals > 1) process.exit(exitCodes.interrupted);
      interrupted.abort();
    });
  }
  try {
    const shown = await runDemo(seconds, displayOn(out), removeAtExit, interrupted.signal);
    out.write(summaryText(shown));
    return shown.every(({ isShown }) => isShown) ? exitCodes.shown : exitCodes.failed;
  } catch (error) {
    if (interrupted.signal.aborted) {
      out.write('\ninterrupted; the gateway has stopped and its folder is gone\n');
      return exitCodes.interrupted;
    }
    process.stderr.write(`\nthe demo has failed: ${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.failed;
  }
}

/** Null if the arguments are none that we know. */
function secondsAsked(): number | null {
  try {
    const { values } = parseArgs({ options: { seconds: { type: 'string', default: '40' } } });
    const seconds = Number(values.seconds);
    return values.seconds !== '' && seconds >= 0 && seconds <= 3600 ? seconds : null;
  } catch {
    return null;
  }
}

/** However the process ends, if it can do anything about it. */
function removeAtExit(folder: string): void {
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}

function summaryText(shown: readonly Claim[]): string {
  const hasColors = out.isTTY === true && out.hasColors();
  const columns = Math.min(out.columns ?? textColumnsMax, textColumnsMax);
  const lines = shown.flatMap(({ isShown, text, details }) => [
    '',
    ...wrapped(text, columns - 2).map((line, index) => {
      const mark = index > 0 ? ' ' : isShown ? '✔' : '✘';
      const style = isShown ? 'green' : 'red';
      return lineText([{ text: mark, style }, ' ', { text: line, style: 'bold' }], columns, hasColors);
    }),
    ...details.flatMap((detail) => wrapped(detail, columns - 4).map((line) => `    ${line}`)),
  ]);
  return `${lines.join('\n')}\n`;
}
