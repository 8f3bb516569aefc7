import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startCluster } from './cluster.ts';
import { isFree } from './ports.ts';
import { ended, start } from './processes.ts';
import { CONSOLE_CONSUMER, toolParameters } from './tools.ts';

const USAGE = `A real Apache Kafka on this machine, to try the gateway with. Its data is deleted when it stops.

  npm run kafka [-- --port 9092]                            one broker, until Ctrl-C
  npm run kafka -- consume TOPIC [--broker HOST:PORT]       committed records of a topic, until Ctrl-C`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(parameters: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '9092' },
      broker: { type: 'string', default: '127.0.0.1:9092' },
      help: { type: 'boolean', default: false },
    },
  });
  const [command, topic, ...rest] = positionals;
  if (!values.help && command === undefined) return await serve(Number(values.port));
  if (!values.help && command === 'consume' && topic !== undefined && rest.length === 0) {
    return await consume(topic, values.broker);
  }
  console.log(USAGE);
  return values.help ? 0 : 2;
}

async function serve(port: number): Promise<number> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error('--port takes a number from 1 to 65535');
  if (!(await isFree(port)))
    throw new Error(`port ${port} is in use; choose another: npm run kafka -- --port 9094`);
  const toldToStop = stopSignal();
  console.log('Starting Apache Kafka; the first time its jars are fetched, which takes about a minute …');
  const starting = startCluster({ brokers: 1, port });
  // An early Ctrl-C ends this process at once, and with it goes all that was started.
  if ((await Promise.race([starting, toldToStop])) === 'stop') process.exit(0);
  const cluster = await starting;
  const address = `127.0.0.1:${port}`;
  const broker = port === 9092 ? '' : ` --broker ${address}`;
  console.log(`Apache Kafka listens on ${address}. Stop it with Ctrl-C. In two other terminals:

  npm start -- --set 'forwarder.brokers=[${address}]'
  npm run kafka -- consume TOPIC${broker}
`);
  await toldToStop;
  await cluster.close();
  console.log('Apache Kafka has stopped and its data is deleted.');
  return 0;
}

async function consume(topic: string, broker: string): Promise<number> {
  const parameters = ['--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'];
  const format = ['partition', 'offset', 'key'].flatMap((part) => [
    '--formatter-property',
    `print.${part}=true`,
  ]);
  const command = await toolParameters([broker], CONSOLE_CONSUMER, [...parameters, ...format]);
  const child = start('java', command, ['ignore', 'inherit', 'inherit']);
  const toldToStop = stopSignal();
  const outcome = await Promise.race([ended(child), toldToStop]);
  if (outcome !== 'stop') return outcome ?? 1;
  child.kill('SIGTERM');
  await ended(child);
  return 0;
}

/** Resolves at Ctrl-C or when the terminal goes. From the call on neither ends this process by itself. */
async function stopSignal(): Promise<'stop'> {
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  return 'stop';
}
