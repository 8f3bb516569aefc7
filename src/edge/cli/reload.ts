import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** What a gateway answers that has read its configuration again. */
interface ReloadAnswer {
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
}

/**
 * `headwater reload`: has the running gateway read its configuration again, and says what of it counts now.
 * @throws OperatingError `bad-configuration` with every problem of the configuration, of which then nothing counts
 */
export async function reload(gateway: AdminClient, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const answer = (await gateway.json('POST', '/api/reload')) as ReloadAnswer;
  await terminal.output.write(json ? `${JSON.stringify(answer)}\n` : reloadText(answer));
  return exitCodes.ok;
}

function reloadText({ applied, needsRestart }: ReloadAnswer): string {
  const lines = [
    applied.length === 0 ? 'nothing has changed that counts at once' : `counts now: ${applied.join(', ')}`,
    ...(needsRestart.length === 0 ? [] : [`needs a restart: ${needsRestart.join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}
