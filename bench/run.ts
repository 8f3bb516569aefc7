import { parseArgs } from 'node:util';
import { ingestBenchmark } from './ingest.ts';
import { mirrorBenchmark } from './mirror.ts';
import { saveResult } from './result.ts';

const USAGE = `Benchmarks, on the loopback address only. Each ends with one summary line; --save writes bench/results/<name>.json.

  npm run bench -- ingest [--seconds 3] [--repeat 3] [--save]         MQTT QoS 1, beside Mosquitto
  npm run bench -- mirror [--records 1000000] [--repeat 3] [--save]   a backlog into one Kafka broker, beside kcat`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** The value of an option, a whole number in bounds: no benchmark runs for ever or fills the disk. */
function bounded(name: 'seconds' | 'records' | 'repeat', max: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  console.error(`--${name} takes a whole number from 1 to ${max}`);
  process.exit(2);
}

const repeat = bounded('repeat', 20);
const [name] = positionals;
if (values.help || positionals.length !== 1 || (name !== 'ingest' && name !== 'mirror')) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const result =
  name === 'ingest'
    ? await ingestBenchmark({ seconds: bounded('seconds', 60), repeat })
    : await mirrorBenchmark({ records: bounded('records', 10_000_000), repeat });
if (values.save) await saveResult(name, result);
console.log(result.summary);
process.exit(result.broken.length === 0 ? 0 : 1);
