import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../src/core/limits.ts';
import type { StatusReport } from '../src/edge/status.ts';
import { until } from '../test/kafka/until.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { PseudoTerminals } from '../test/support/pseudo-terminals.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { durableIn } from './mqtt-servers.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { median, type Result, rounded } from './result.ts';

/** A line as an Arduino prints it; all are of one length, no two are the same, and nothing is wrong with what they say. */
const lineOf = (n: number): string => {
  const temperature = 21.5 + Math.sin(n / 20_000) + ((n * 7919) % 13) / 100;
  const humidity = 45 + Math.cos(n / 30_000) + ((n * 104_729) % 17) / 10;
  return `{"temperature":${temperature.toFixed(2)},"humidity":${humidity.toFixed(1)},"n":${1_000_000 + n}}\n`;
};
const LINE_BYTES = lineOf(0).length;
const LINES_PER_WRITE = 500;
const WAIT_MS_MAX = 60_000;
const WARM_UP_MS = 2_000;
/** At the pace of serial ports it takes longer until what runs often is compiled, which costs CPU as well. */
const SETTLE_MS = 45_000;

/** As many as the configuration allows. */
const PORTS = limits.serialPortsMax;
/** 115,200 baud are 11,520 bytes a second, with a start and a stop bit. */
const PORT_BYTES_PER_SECOND = 11_520;
/** As often as adapters hand over what they have collected. */
const HAND_OVER_MS = 16;
const GOAL_CORE_PERCENT = 15;

/** Readers of one port at full rate. */
const readers = {
  'plain reader': startPlainReader,
  'headwater, commits at once': (folder: string, path: string) =>
    startReader(folder, path, ['anomaly.enabled=false', 'data.commitIntervalMs=0']),
  'headwater without detection': (folder: string, path: string) =>
    startReader(folder, path, ['anomaly.enabled=false']),
  'headwater by default': (folder: string, path: string) => startReader(folder, path, []),
} as const;

const EVERY_PORT = `${PORTS} ports of 115200 baud`;
/** What the gateway does while all ports bring what they can. */
const loads = {
  [EVERY_PORT]: [],
  [`${EVERY_PORT}, without detection`]: ['anomaly.enabled=false'],
} as const;

interface Reader extends AsyncDisposable {
  readonly pid: number;
  /** How many lines are stored. */
  readonly stored: () => Promise<number>;
}

interface Rate {
  readonly linesPerSecond: number;
  readonly cpuMicros: number;
}

/**
 * Lines of JSON from pseudo-terminals into the durable log: one port as fast as it is read, beside node serialport's parser that
 * appends to a file; and all ports that there may be at their pace.
 */
export async function serialBenchmark(options: {
  readonly seconds: number;
  readonly repeat: number;
}): Promise<Result> {
  const rates = new Map<string, Rate[]>();
  const shares = new Map<string, number[]>();
  const broken: string[] = [];
  for (let run = 1; run <= options.repeat; run++) {
    for (const [name, start] of Object.entries(readers)) {
      const rate = await fullRate(start, options.seconds);
      rates.set(name, [...(rates.get(name) ?? []), rate]);
      console.log(`${run}/${options.repeat} ${name.padEnd(50)} ${described(rate)}`);
    }
    for (const [name, set] of Object.entries(loads)) {
      const { corePercent, missing } = await shareOfCore(set, options.seconds);
      if (missing !== 0) broken.push(`${name}: ${missing} lines are not durable`);
      shares.set(name, [...(shares.get(name) ?? []), corePercent]);
      console.log(`${run}/${options.repeat} ${name.padEnd(50)} ${rounded(corePercent)} % of a core`);
    }
  }
  const percent = median(shares.get(EVERY_PORT) ?? []);
  if (percent > GOAL_CORE_PERCENT) broken.push(`${EVERY_PORT} take ${rounded(percent)} % of a core`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return resultOf(rates, shares, broken);
}

const described = ({ linesPerSecond, cpuMicros }: Rate): string =>
  `${Math.round(linesPerSecond)} lines/s, ${rounded(cpuMicros)} µs CPU per line`;

function resultOf(
  rates: ReadonlyMap<string, readonly Rate[]>,
  shares: ReadonlyMap<string, readonly number[]>,
  broken: readonly string[],
): Result {
  const medians = [...rates].map(([name, all]) => {
    const linesPerSecond = median(all.map((rate) => rate.linesPerSecond));
    return { name, linesPerSecond, cpuMicros: median(all.map((rate) => rate.cpuMicros)) };
  });
  const percents = [...shares].map(([name, all]) => [name, median(all)] as const);
  return {
    summary:
      `goal ${GOAL_CORE_PERCENT} % of a core for ${PORTS} ports of 115200 baud, got ` +
      `${percents.map(([name, percent]) => `${rounded(percent)} % for ${name}`).join('; ')}; one port at full rate: ` +
      medians.map((rate) => `${rate.name} ${described(rate)}`).join('; '),
    broken,
    figures: {
      ...Object.fromEntries(
        medians.flatMap(({ name, linesPerSecond, cpuMicros }) => [
          [`${name}, lines per second`, rounded(linesPerSecond)],
          [`${name}, CPU microseconds per line`, rounded(cpuMicros)],
        ]),
      ),
      ...Object.fromEntries(
        percents.map(([name, percent]) => [`${name}, percent of a core`, rounded(percent)]),
      ),
    },
  };
}

async function fullRate(
  start: (folder: string, path: string) => Promise<Reader>,
  seconds: number,
): Promise<Rate> {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  await using reader = await start(folder.path, terminals.path);
  let sent = 0;
  const sendFor = async (ms: number): Promise<void> => {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      await terminals.send(linesFrom(sent, LINES_PER_WRITE));
      sent += LINES_PER_WRITE;
    }
    await until(
      'all lines are stored',
      WAIT_MS_MAX,
      async () => (await reader.stored()) >= sent || undefined,
    );
  };
  await sendFor(WARM_UP_MS);
  const before = { sent, ms: performance.now(), cpu: cpuSecondsOf(reader.pid) };
  await sendFor(seconds * 1000);
  const lines = sent - before.sent;
  return {
    linesPerSecond: lines / ((performance.now() - before.ms) / 1000),
    cpuMicros: ((cpuSecondsOf(reader.pid) - before.cpu) / lines) * 1e6,
  };
}

const linesFrom = (first: number, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, index) => lineOf(first + index)).join(''));

async function startPlainReader(folder: string, path: string): Promise<Reader> {
  const file = join(folder, 'lines');
  const child = fork(join(import.meta.dirname, 'serial-reader.ts'), [path, file]);
  const exited = once(child, 'exit');
  await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error('no reader')))]);
  return {
    pid: child.pid ?? 0,
    stored: async () => Math.floor((await stat(file).catch(() => ({ size: 0 }))).size / LINE_BYTES),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function startReader(folder: string, path: string, set: readonly string[]): Promise<Reader> {
  const gateway = await startWithPorts(folder, [path], set);
  return {
    pid: gateway.pid,
    stored: () => durableIn(gateway),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

async function startWithPorts(
  folder: string,
  paths: readonly string[],
  set: readonly string[],
): Promise<RunningGateway> {
  // With flow control, so that one that sends faster than a line can is held back and loses nothing.
  const serial = paths.map((path, index) => ({ name: `port${index}`, path, baud: 115_200, flow: 'rtscts' }));
  const gateway = await startGateway({
    dataDir: join(folder, 'data'),
    set: [`serial=${JSON.stringify(serial)}`, ...set],
  });
  await until('all ports are open', WAIT_MS_MAX, async () => {
    const status = (await (await gateway.api('/api/status')).json()) as StatusReport;
    return status.serial.every(({ state }) => state === 'open') || undefined;
  });
  return gateway;
}

async function shareOfCore(
  set: readonly string[],
  seconds: number,
): Promise<{ readonly corePercent: number; readonly missing: number }> {
  await using folder = await temporaryFolder();
  await using stack = new AsyncDisposableStack();
  const terminals: PseudoTerminals[] = [];
  for (let port = 0; port < PORTS; port++) {
    const ends = join(folder.path, `port${port}`);
    await mkdir(ends);
    terminals.push(stack.use(await PseudoTerminals.start(ends)));
  }
  const paths = terminals.map(({ path }) => path);
  await using gateway = await startWithPorts(folder.path, paths, set);
  const lines = Math.ceil((PORT_BYTES_PER_SECOND * (SETTLE_MS / 1000 + seconds)) / LINE_BYTES);
  const bytes = linesFrom(0, lines);
  const sending = Promise.all(terminals.map((one) => sendAtPace(one, bytes)));
  await sleep(SETTLE_MS);
  const before = { ms: performance.now(), cpu: cpuSecondsOf(gateway.pid) };
  await sending;
  const took = (performance.now() - before.ms) / 1000;
  const corePercent = (100 * (cpuSecondsOf(gateway.pid) - before.cpu)) / took;
  const wanted = lines * PORTS;
  await until(
    'all lines are durable',
    WAIT_MS_MAX,
    async () => (await durableIn(gateway)) >= wanted || undefined,
  );
  return { corePercent, missing: wanted - (await durableIn(gateway)) };
}

/** Hands over at each step what has come meanwhile, whether a line is whole or not. */
async function sendAtPace(terminals: PseudoTerminals, bytes: Buffer): Promise<void> {
  const startMs = performance.now();
  for (let sent = 0; sent < bytes.length; ) {
    await sleep(HAND_OVER_MS);
    const due = Math.min(
      bytes.length,
      Math.floor(((performance.now() - startMs) / 1000) * PORT_BYTES_PER_SECOND),
    );
    await terminals.send(bytes.subarray(sent, due));
    sent = due;
  }
}
