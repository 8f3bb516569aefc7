import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';

/** For each line: its words, and the last of them, as bash would hand them to a completion. Prints what comes back. */
const asker = `
PATH=/nowhere
while IFS=$'\\t' read -r -a COMP_WORDS; do
  [[ \${COMP_WORDS[-1]} == '<end>' ]] && COMP_WORDS[-1]=
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _headwater
  for reply in "\${COMPREPLY[@]}"; do printf '%s\\t' "$reply"; done
  echo
done
`;

/**
 * What bash makes of lines that end at the cursor, with this script: each line with its candidates, sorted. No program can be
 * found while it completes, headwater least of all.
 */
export async function completedByBash(
  script: string,
  lines: readonly string[],
  folder: string = tmpdir(),
): Promise<ReadonlyMap<string, readonly string[]>> {
  const child = spawn('bash', ['--norc', '-c', `${script}\n${asker}`], { cwd: folder });
  child.stdin.end(lines.map((line) => `${wordsOf(line).join('\t')}\n`).join(''));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (errors !== '') throw new Error(`bash: ${errors}`);
  const replies = output.split('\n');
  return new Map(
    lines.map((line, index) => [line, (replies[index] ?? '').split('\t').slice(0, -1).toSorted()]),
  );
}

/** As bash cuts a line into words: `=` and `:` are words of their own. The last may be empty, for which a word stands. */
function wordsOf(line: string): string[] {
  const words = line.split(/ +/).flatMap((word) => (word === '' ? [''] : word.split(/(?<=[=:])|(?=[=:])/)));
  return words.map((word) => (word === '' ? '<end>' : word));
}
