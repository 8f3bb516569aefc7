import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { compressions, laneNames } from '../../log/types.ts';
import type { Address } from '../config/address.ts';
import { loadConfig } from '../config/load-config.ts';
import { choice, duration, size } from '../config/setting-kinds.ts';
import type { TopicChange } from '../topic-changes.ts';
import { topicDecoders } from '../topic-decoders.ts';
import { AdminClient } from './admin-client.ts';
import { addAlerts } from './alert-commands.ts';
import { showCertificate } from './certificate.ts';
import {
  bytesInHex,
  type CommandLine,
  collectBroker,
  moment,
  nonEmpty,
  orDefault,
  rootCommand,
  settingOf,
  usageExitCode,
  wholeNumber,
} from './command-line.ts';
import {
  type ConsumeOptions,
  type ConsumeRequest,
  consume,
  consumeRequest,
  contradictionIn,
  gatewayRecords,
} from './consume.ts';
import { addDevices } from './device-commands.ts';
import { doctorKafka } from './doctor.ts';
import type { DumpRequest } from './dump.ts';
import { type ExitCode, exitCodeFor, exitCodes } from './exit-code.ts';
import { produce } from './produce.ts';
import { testRoute } from './routes.ts';
import { run, type StartGateway } from './run.ts';
import { status } from './status.ts';
import type { Terminal } from './terminal.ts';
import {
  createTopic,
  deleteTopic,
  describeTopic,
  listTopics,
  type SettingOptions,
  setTopic,
  settingsPatch,
} from './topics.ts';

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
    const usage = usageExitCode(error);
    if (usage !== undefined) return usage;
    const code = exitCodeFor(error);
    if (code === undefined || !(error instanceof OperatingError)) throw error;
    await terminal.errors.write(`${error.message}\n`);
    return code;
  }
}

function commands(product: Product, terminal: Terminal, endWith: (code: ExitCode) => void): CommandLine {
  const program = rootCommand(product.version, terminal);
  const configuration = () => {
    const { config, set = [] } = program.opts<{ config?: string; set?: readonly string[] }>();
    const { workingDirectory, hostName } = terminal;
    return loadConfig({ configFile: config, sets: set, workingDirectory, hostName });
  };
  const dataDir = async () => (await configuration()).config.data.dir;
  const gateway = async () => await AdminClient.find(await dataDir());

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
  program
    .command('certificate')
    .description('print the certificate of the MQTT ports with TLS, to be given to clients')
    .action(async () => endWith(await showCertificate((await configuration()).config, terminal)));
  addTopics(program, terminal, gateway, endWith);
  addDevices(program, terminal, dataDir, endWith);
  addAlerts(program, terminal, gateway, endWith);
  program
    .command('routes')
    .description('where MQTT messages go')
    .command('test')
    .description('show where a message would go by mqtt.routes; exit code 1 if none of them stands for it')
    .argument('<mqtt-topic>')
    .option('--payload <text>', 'a payload, to look for the time of the device in, and to decode')
    .option('--payload-hex <digits>', 'the same, of bytes in hexadecimal digits', bytesInHex)
    .option('--json', 'as one JSON object')
    .action(async (mqttTopic: string, { payload, payloadHex, json }: RouteTestOptions) => {
      const { routes, limits: allowed } = (await configuration()).config.mqtt;
      const test = {
        routes,
        topicBytesMax: allowed.topicBytesMax,
        mqttTopic,
        decoders: topicDecoders(routes),
        payload: payload === undefined ? payloadHex : Buffer.from(payload),
        json: json === true,
      };
      endWith(await testRoute(test, terminal));
    });
  addRecords(program, terminal, { find: gateway, dataDir }, endWith);
  addStoredFiles(program, terminal, dataDir, endWith);
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
      const { config } = await configuration();
      endWith(await doctorKafka({ config, brokers: broker ?? config.forwarder.brokers }, terminal));
    });
  return program;
}

type FindGateway = () => Promise<AdminClient>;

interface RouteTestOptions {
  readonly payload?: string;
  readonly payloadHex?: Uint8Array;
  readonly json?: true;
}

/** The gateway of the configured data folder, and the folder itself. */
interface Gateways {
  readonly find: FindGateway;
  readonly dataDir: () => Promise<string>;
}

function addTopics(
  program: CommandLine,
  terminal: Terminal,
  gateway: FindGateway,
  endWith: (code: ExitCode) => void,
) {
  const topics = program
    .command('topics')
    .description('list, describe, create, set or delete topics of the running gateway');
  topics
    .command('list')
    .description('list the topics and how far they reach')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) =>
      endWith(await listTopics(await gateway(), terminal, json === true)),
    );
  topics
    .command('describe')
    .description('show the settings of a topic, where they come from, and how far its partitions reach')
    .argument('<name>')
    .option('--json', 'as one JSON object')
    .action(async (name: string, { json }: { json?: true }) =>
      endWith(await describeTopic(await gateway(), terminal, name, json === true)),
    );
  withSettings(topics.command('create'))
    .description('create a topic')
    .argument('<name>')
    .option('--partitions <count>', 'how many partitions', partitionCount, 1)
    .action(async (name: string, options: TopicOptions & { partitions: number }, command: CommandLine) => {
      const { partitions, settings } = topicChange(options, command);
      const topic = { name, partitions: partitions ?? 1, ...(settings && { settings }) };
      endWith(await createTopic(await gateway(), terminal, topic));
    });
  withSettings(topics.command('set'))
    .description(
      'change what is given of a topic, and nothing else; the value "default" takes a setting back',
    )
    .argument('<name>')
    .option('--partitions <count>', 'how many partitions, at least as many as now', partitionCount)
    .action(async (name: string, options: TopicOptions, command: CommandLine) => {
      const change = topicChange(options, command);
      if (Object.keys(change).length === 0)
        command.error('error: say what to change, such as --priority 7', { exitCode: exitCodes.usage });
      endWith(await setTopic(await gateway(), terminal, name, change));
    });
  topics
    .command('delete')
    .description('delete a topic with all its records; asks first')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, { yes }: { yes?: true }, command: CommandLine) => {
      if (yes !== true && !terminal.isInteractive)
        command.error('error: nobody is there to be asked; give --yes to delete the topic with its records', {
          exitCode: exitCodes.usage,
        });
      endWith(await deleteTopic(await gateway(), terminal, name, yes === true));
    });
}

interface TopicOptions extends SettingOptions {
  readonly partitions?: number;
}

const partitionCount = wholeNumber(1, limits.partitionsPerTopicMax);
const centralCount = wholeNumber(1, limits.centralPartitionsMax);

/** The options for the settings of a topic, in the words of the configuration. */
function withSettings(command: CommandLine): CommandLine {
  return command
    .option(
      '--retention-bytes <size>',
      'let records go above so many bytes in a partition, such as 1GiB',
      orDefault(settingOf(size(1, limits.storedBytesMax))),
    )
    .option(
      '--retention-age <duration>',
      'let records go at this age, such as 30d',
      orDefault(settingOf(duration(1, limits.retentionAgeMsMax))),
    )
    .option('--until-forwarded', 'let records go as soon as the cluster has them, instead of the two')
    .option('--drop-unforwarded', 'let retention also remove what the cluster does not have yet')
    .option('--no-drop-unforwarded', 'let retention wait for the cluster')
    .option(
      '--segment <size>',
      'size of a segment, such as 8MiB; retention removes whole ones',
      orDefault(settingOf(size(limits.segmentBytesMin, limits.segmentBytesMax))),
    )
    .option('--compression <codec>', compressions.join(', '), orDefault(settingOf(choice(compressions))))
    .option(
      '--priority <number>',
      `0 to ${limits.topicPriorityMax}; under a full disk budget, a lower one loses records first`,
      orDefault(wholeNumber(0, limits.topicPriorityMax)),
    )
    .option('--lane <name>', 'alarm goes first, or bulk', orDefault(settingOf(choice(laneNames))))
    .option('--central-partitions <count>', 'so many in the cluster, by key', orDefault(centralCount));
}

function topicChange({ partitions, ...options }: TopicOptions, command: CommandLine): TopicChange {
  const { untilForwarded, retentionBytes, retentionAge } = options;
  if (untilForwarded && (retentionBytes !== undefined || retentionAge !== undefined))
    command.error('error: --until-forwarded takes the place of --retention-bytes and --retention-age', {
      exitCode: exitCodes.usage,
    });
  const settings = settingsPatch(options);
  return { ...(partitions !== undefined && { partitions }), ...(settings && { settings }) };
}

function addRecords(
  program: CommandLine,
  terminal: Terminal,
  gateways: Gateways,
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
      endWith(await produce(await gateways.find(), terminal, { topic, keySeparator })),
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
      endWith(await consumeAnywhere(gateways, terminal, request));
    });
}

function addStoredFiles(
  program: CommandLine,
  terminal: Terminal,
  dataDir: () => Promise<string>,
  endWith: (code: ExitCode) => void,
) {
  program
    .command('verify')
    .description(
      'check all files of a stopped gateway, and name the offsets that are lost; exit code 1 if something is wrong',
    )
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) => {
      // Loaded only now, as what only some commands need is: the lock comes with a database.
      const { verify } = await import('./verify.ts');
      endWith(await verify(await dataDir(), terminal, json === true));
    });
  program
    .command('dump')
    .description('show what lies where in journal files and segments, also in damaged ones')
    .argument('[file...]', 'such files (default: all of the data folder)')
    .option('--topic <name>', 'only what is of this topic')
    .option(
      '--partition <number>',
      'only what is of this partition of --topic',
      wholeNumber(0, limits.partitionsPerTopicMax - 1),
    )
    .option('--records', 'show the records of each batch')
    .action(async (files: readonly string[], options: Partial<DumpRequest>, command: CommandLine) => {
      const { topic, partition, records } = options;
      if (partition !== undefined && topic === undefined)
        command.error('error: --partition needs --topic', { exitCode: exitCodes.usage });
      const { dump } = await import('./dump.ts');
      const request = { files, topic, partition, records: records === true };
      endWith(await dump(await dataDir(), terminal, request));
    });
}

/** From the running gateway, or from its data folder if none runs. */
async function consumeAnywhere(
  { find, dataDir }: Gateways,
  terminal: Terminal,
  request: ConsumeRequest,
): Promise<ExitCode> {
  try {
    return await consume(gatewayRecords(await find()), terminal, request);
  } catch (error) {
    if (!(error instanceof OperatingError) || error.code !== 'gateway-not-running') throw error;
    const { consumeStopped } = await import('./stopped-records.ts');
    return await consumeStopped(await dataDir(), terminal, request, error);
  }
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
