import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Address, parseAddress } from '../config/address.ts';
import { loadConfig } from '../config/load-config.ts';
import { AdminClient } from './admin-client.ts';
import { consume } from './consume.ts';
import { doctorKafka } from './doctor.ts';
import { type ExitCode, exitCodeFor, exitCodes } from './exit-code.ts';
import { produce } from './produce.ts';
import { run, type StartGateway } from './run.ts';
import { status } from './status.ts';
import type { Terminal } from './terminal.ts';
import { createTopic, listTopics } from './topics.ts';

export interface Product {
  readonly version: string;
  readonly startGateway: StartGateway;
}

/**
 * Runs one command line (without the names of node and script) and resolves to its exit code. Errors that a user can
 * mend are printed; any other error is one of ours and is thrown.
 */
export async function runCommandLine(
  commandLine: readonly string[],
  product: Product,
  terminal: Terminal,
): Promise<number> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = commands(product, terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...commandLine], { from: 'user' });
    const { failure } = terminal.output;
    if (failure === undefined) return exitCode;
    throw new OperatingError('output-failed', `the output cannot be written: ${failure.message}`, {
      cause: failure,
    });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const code = exitCodeFor(error);
    if (code === undefined || !(error instanceof OperatingError)) throw error;
    await terminal.errors.write(`${error.message}\n`);
    return code;
  }
}

function commands(product: Product, terminal: Terminal, endWith: (code: ExitCode) => void): Command {
  const program = new Command('headwater')
    .description('Every sensor reading durable on this device, and exactly once in central Apache Kafka.')
    .version(product.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand(false)
    .option('--config <file>', 'the configuration (default: ./headwater.yaml if there is one)')
    .option(
      '--set <setting=value>',
      'change one setting, such as mqtt.listen=127.0.0.1:0; may be repeated',
      collect,
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void terminal.output.write(text),
      writeErr: (text) => void terminal.errors.write(text),
    })
    .showHelpAfterError('(--help explains the command)')
    .exitOverride();
  const configuration = () => {
    const { config, set = [] } = program.opts<{ config?: string; set?: readonly string[] }>();
    const { workingDirectory, hostName } = terminal;
    return loadConfig({ configFile: config, sets: set, workingDirectory, hostName });
  };
  const gateway = async () => await AdminClient.find((await configuration()).config.data.dir);

  program
    .command('run')
    .description('run the gateway until SIGTERM or Ctrl-C')
    .action(async () => {
      const loaded = await configuration();
      endWith(await startedOrRefused(() => run(product.startGateway, loaded, terminal)));
    });
  program
    .command('status')
    .description('show how the running gateway is; exit code 4 if it is degraded')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) =>
      endWith(await status(await gateway(), terminal, json === true)),
    );
  addTopics(program, terminal, gateway, endWith);
  addRecords(program, terminal, gateway, endWith);
  program
    .command('doctor')
    .description('find out why something does not work')
    .command('kafka')
    .description(
      'dial the central cluster, and every address that it advertises; exit code 1 if something is wrong',
    )
    .option(
      '--broker <host:port>',
      'ask this one instead of forwarder.brokers; may be repeated',
      collectBroker,
    )
    .action(async ({ broker }: { broker?: readonly Address[] }) => {
      const { gateway, forwarder } = (await configuration()).config;
      endWith(await doctorKafka({ gateway: gateway.name, brokers: broker ?? forwarder.brokers }, terminal));
    });
  return program;
}

type FindGateway = () => Promise<AdminClient>;

function addTopics(
  program: Command,
  terminal: Terminal,
  gateway: FindGateway,
  endWith: (code: ExitCode) => void,
) {
  const topics = program.command('topics').description('list or create topics of the running gateway');
  topics
    .command('list')
    .description('list the topics and how far they reach')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) =>
      endWith(await listTopics(await gateway(), terminal, json === true)),
    );
  topics
    .command('create')
    .description('create a topic')
    .argument('<name>')
    .option('--partitions <count>', 'how many partitions', wholeNumber(1, limits.partitionsPerTopicMax), 1)
    .action(async (name: string, { partitions }: { partitions: number }) =>
      endWith(await createTopic(await gateway(), terminal, { name, partitions })),
    );
}

interface ConsumeOptions {
  readonly fromBeginning?: true;
  readonly partition?: number;
  readonly offset?: number;
  readonly follow?: true;
  readonly maxMessages?: number;
  readonly json?: true;
}

function addRecords(
  program: Command,
  terminal: Terminal,
  gateway: FindGateway,
  endWith: (code: ExitCode) => void,
) {
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
    .option('--follow', 'go on with records to come; without a place to start, only with those')
    .option('--max-messages <count>', 'end after so many records', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'one JSON object for each record, with key, headers and timestamp')
    .action(async (topic: string, options: ConsumeOptions, command: Command) => {
      const wrong = contradictionIn(options);
      if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: exitCodes.usage });
      const request = {
        topic,
        fromBeginning: options.fromBeginning === true,
        partition: options.partition,
        offset: options.offset,
        follow: options.follow === true,
        messagesMax: options.maxMessages,
        json: options.json === true,
      };
      endWith(await consume(await gateway(), terminal, request));
    });
}

function contradictionIn({ fromBeginning, partition, offset, follow }: ConsumeOptions): string | undefined {
  if (offset !== undefined && partition === undefined)
    return '--offset needs --partition: each has offsets of its own';
  if (offset !== undefined && fromBeginning)
    return '--from-beginning and --offset both say where to start; give one';
  if (fromBeginning || offset !== undefined || follow) return undefined;
  return 'say where to start: --from-beginning, --partition P --offset N, or --follow for new records only';
}

/** Whatever keeps a gateway from starting is for its user to mend, so `run` ends as for a wrong configuration. */
async function startedOrRefused(running: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await running();
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    throw new OperatingError('bad-configuration', error.message, { cause: error });
  }
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

function collectBroker(text: string, previous: readonly Address[] = []): readonly Address[] {
  const address = parseAddress(text);
  if (address !== undefined && address.port !== 0) return [...previous, address];
  throw new InvalidArgumentError('Write host:port, such as kafka1:9092.');
}

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('Write at least one character.');
  return value;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}
