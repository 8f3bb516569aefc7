import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, moment, nonEmpty, wholeNumber } from './command-line.ts';
import {
  type ConsumeOptions,
  type ConsumeRequest,
  consume,
  consumeRequest,
  contradictionIn,
  gatewayRecords,
} from './consume.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { produce } from './produce.ts';

/** Adds `produce` and `consume`. */
export function addRecords(program: CommandLine, context: CommandContext): void {
  const { terminal, gateway, endWith } = context;
  program
    .command('produce')
    .description('store each line of standard input as one record; ends when all are durable')
    .argument('<topic>')
    .option(
      '--key-separator <text>',
      'what stands between key and value in a line (default: no keys)',
      nonEmpty,
    )
    .action(async (topic: string, { keySeparator }: { keySeparator?: string }) =>
      endWith(await produce(await gateway(), terminal, { topic, keySeparator })),
    );
  program
    .command('consume')
    .description("print the value of each record and a newline; ends at the topic's end unless --follow")
    .argument('<topic>')
    .option('--from-beginning', 'from the oldest record on')
    .option('--partition <number>', 'only this partition', wholeNumber(0, limits.partitionsPerTopicMax - 1))
    .option(
      '--offset <number>',
      'from this offset of --partition on',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--from-time <moment>',
      'from the first record of that time on: 2026-01-31T08:00, or 2h for two hours ago',
      moment,
    )
    .option('--follow', 'go on with records to come; without a place to start, only with those')
    .option('--max-messages <count>', 'end after so many records', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'one JSON object for each record, with key, headers and timestamp')
    .action(async (topic: string, options: ConsumeOptions, command: CommandLine) => {
      const wrong = contradictionIn(options);
      if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: exitCodes.usage });
      const request = consumeRequest(topic, options);
      endWith(await consumeAnywhere(context, request));
    });
}

/** From the running gateway, or from its data folder if none runs. */
async function consumeAnywhere(
  { gateway, dataDir, terminal }: CommandContext,
  request: ConsumeRequest,
): Promise<ExitCode> {
  try {
    return await consume(gatewayRecords(await gateway()), terminal, request);
  } catch (error) {
    if (!(error instanceof OperatingError) || error.code !== 'gateway-not-running') throw error;
    const { consumeStopped } = await import('./stopped-records.ts');
    return await consumeStopped(await dataDir(), terminal, request, error);
  }
}
