import { parseArgs } from 'node:util';
import { absentBenchmark } from './absent.ts';
import { alarmBenchmark } from './alarm.ts';
import { anomalyBenchmark } from './anomaly.ts';
import { deployBenchmark } from './deploy.ts';
import { floodBenchmark } from './flood.ts';
import { ingestBenchmark } from './ingest.ts';
import { learnedBenchmark } from './learned.ts';
import { linkBenchmark } from './link.ts';
import { logBenchmark, logParts } from './log.ts';
import { memoryBenchmark } from './memory.ts';
import { mirrorBenchmark } from './mirror.ts';
import { pageBenchmark } from './page.ts';
import { type Result, saveResult } from './result.ts';
import { serialBenchmark } from './serial.ts';
import { soakBenchmark } from './soak.ts';
import { wholeBenchmark } from './whole.ts';

const USAGE = `Benchmarks, on the loopback address only. Each ends with one summary line; --save writes bench/results/<name>.json.

  npm run bench -- ingest [--seconds 3] [--repeat 3] [--save]
      MQTT of each QoS and by TLS, in three shapes, beside Mosquitto and NATS
  npm run bench -- flood [--save]
      memory under 999 clients that publish with QoS 0 as fast as they can, and how one fares that does not
  npm run bench -- whole [--repeat 3] [--save]
      CPU of the whole gateway from PUBLISH to one Kafka broker, at 2,000 messages/s and at full rate
  npm run bench -- absent [--repeat 3] [--save]
      what a subscriber that is away costs a device: PUBLISH to PUBACK at QoS 1, with and without one
  npm run bench -- mirror [--records 4000000] [--repeat 3] [--save]   a backlog into one Kafka broker, beside kcat
  npm run bench -- alarm [--stored-gb 2] [--alarms 20] [--save]
      an alarm past a backlog, over 1 Mbit/s and 300 ms to one Kafka broker
  npm run bench -- link [--repeat 3] [--save]
      what a reading costs on the link, and a backlog over 8 Mbit/s, to one Kafka broker
  npm run bench -- anomaly [--repeat 3] [--save]
      what detection costs: CPU per reading, bytes per series, bytes saved per day, and readings/s with and without it
  npm run bench -- memory [--save]
      whether memory stays flat while the cluster is away: an hour in virtual time, and six real minutes
  npm run bench -- soak [--connections 100000] [--messages 20000000] [--save]
      whether connection count and memory stay flat while clients come and go, and through messages of QoS 1
  npm run bench -- serial [--seconds 3] [--repeat 3] [--save]
      lines of a serial port, beside a plain reader of node serialport; and 32 ports at 115,200 baud
  npm run bench -- page [--seconds 30] [--repeat 3] [--save]
      what three open pages and a scraper cost, at 1,000 messages/s
  npm run bench -- deploy [--repeat 3] [--save]
      sizes of what is in dist, start time and memory of the packaged daemon, and what the last npm run test:deploy has left
  npm run bench -- learned [--save]
      what the learned views cost a reading, and how often they alert of series in which nothing is wrong
  npm run bench -- log [part] [--seconds 3] [--repeat 3] [--stored-gb 2] [--save]
      the commit log beside a plain file log and SQLite, in TMPDIR; one of ${logParts.join(', ')}, or all`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    records: { type: 'string', default: '4000000' },
    alarms: { type: 'string', default: '20' },
    connections: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '20000000' },
    repeat: { type: 'string', default: '3' },
    'stored-gb': { type: 'string', default: '2' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** The value of an option, a whole number in bounds: no benchmark runs for ever or fills the disk. */
function bounded(
  name: 'seconds' | 'records' | 'repeat' | 'stored-gb' | 'alarms' | 'connections' | 'messages',
  max: number,
): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  console.error(`--${name} takes a whole number from 1 to ${max}`);
  process.exit(2);
}

function usage(exitCode: number): never {
  console.log(USAGE);
  process.exit(exitCode);
}

/** Prints the summary; whether all promises held. */
async function finish(name: string, result: Result): Promise<boolean> {
  if (values.save) await saveResult(name, result);
  console.log(result.summary);
  return result.broken.length === 0;
}

if (values.help) usage(0);
const repeat = bounded('repeat', 20);
const seconds = bounded('seconds', 60);
const [name, part, ...rest] = positionals;
if (rest.length > 0 || (part !== undefined && !(name === 'log' && logParts.includes(part)))) usage(2);
let held: boolean;
switch (name) {
  case 'ingest':
    held = await finish(name, await ingestBenchmark({ seconds, repeat }));
    break;
  case 'page':
    held = await finish(name, await pageBenchmark({ seconds, repeat }));
    break;
  case 'deploy':
    held = await finish(name, await deployBenchmark({ repeat }));
    break;
  case 'serial':
    held = await finish(name, await serialBenchmark({ seconds, repeat }));
    break;
  case 'whole':
    held = await finish(name, await wholeBenchmark({ repeat }));
    break;
  case 'anomaly':
    held = await finish(name, await anomalyBenchmark({ repeat }));
    break;
  case 'flood':
    held = await finish(name, await floodBenchmark());
    break;
  case 'absent':
    held = await finish(name, await absentBenchmark({ repeat }));
    break;
  case 'mirror':
    held = await finish(name, await mirrorBenchmark({ records: bounded('records', 10_000_000), repeat }));
    break;
  case 'alarm': {
    const size = { storedGb: bounded('stored-gb', 20), alarms: bounded('alarms', 1000) };
    held = await finish(name, await alarmBenchmark(size));
    break;
  }
  case 'link':
    held = await finish(name, await linkBenchmark({ repeat }));
    break;
  case 'memory':
    held = await finish(name, await memoryBenchmark());
    break;
  case 'learned':
    held = await finish(name, learnedBenchmark());
    break;
  case 'soak': {
    const size = {
      connections: bounded('connections', 10_000_000),
      messages: bounded('messages', 1_000_000_000),
    };
    held = await finish(name, await soakBenchmark(size));
    break;
  }
  case 'log': {
    const storedGb = bounded('stored-gb', 20);
    held = await logBenchmark(part, { seconds, repeat, storedGb, save: values.save });
    break;
  }
  default:
    usage(2);
}
process.exit(held ? 0 : 1);
