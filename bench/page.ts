import { once } from 'node:events';
import { type ClientRequest, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { rssOfProcess } from './process-memory.ts';
import { publishing } from './publishing.ts';
import { median, type Result, rounded } from './result.ts';

const MESSAGES_PER_SECOND = 1_000;
const VIEWERS = 3;
const SCRAPE_MS = 15_000;
/** At this rate V8 still compiles for so long; after that, who looks and who does not take turns. */
const WARM_UP_MS = 60_000;
const GOAL_PERCENT = 3;

/** What an open page asks for with each frame. */
const LIST_PATHS = ['/api/series?search=&offset=0&limit=50', '/api/clients?search=&offset=0&limit=50'];

/**
 * What it costs the gateway to be looked at: CPU at 1,000 messages a second, with three pages open and a scrape each 15 s, less what it
 * is without them. Both take turns within one run of the gateway, so that nothing else differs.
 */
export async function pageBenchmark({
  seconds,
  repeat,
}: {
  readonly seconds: number;
  readonly repeat: number;
}): Promise<Result> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const load = await publishing(gateway.mqtt, MESSAGES_PER_SECOND);
  await sleep(WARM_UP_MS);
  const alone: number[] = [];
  const watched: number[] = [];
  for (let run = 1; run <= repeat; run += 1) {
    alone.push(await shareOfCore(gateway, seconds));
    const rssMb = await rssOfProcess(gateway.pid);
    const looking = new AbortController();
    const viewers = Array.from({ length: VIEWERS }, () => view(gateway, looking.signal));
    const scraping = scrape(gateway, looking.signal);
    // The first frames bring what is sent once.
    await sleep(SCRAPE_MS);
    watched.push(await shareOfCore(gateway, seconds));
    looking.abort();
    const frames = await Promise.all(viewers);
    await scraping;
    console.log(
      `${run}/${repeat} ${rounded(alone.at(-1) ?? 0)} % of a core alone, ${rounded(watched.at(-1) ?? 0)} % watched; ` +
        `frames ${frames.join(', ')}; ${Math.round(rssMb)} and ${Math.round(await rssOfProcess(gateway.pid))} MB`,
    );
  }
  const rssMb = await rssOfProcess(gateway.pid);
  await load.stop();
  return resultOf(alone, watched, rssMb);
}

function resultOf(alone: readonly number[], watched: readonly number[], rssMb: number): Result {
  const cost = median(watched.map((percent, index) => percent - (alone[index] ?? 0)));
  const broken = cost > GOAL_PERCENT ? [`being looked at costs ${rounded(cost)} % of a core`] : [];
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary:
      `goal ${GOAL_PERCENT} % of a core for ${VIEWERS} open pages and a scrape each ${SCRAPE_MS / 1000} s at ` +
      `${MESSAGES_PER_SECOND} messages/s, got ${rounded(cost)} % (${rounded(median(alone))} % alone, ` +
      `${rounded(median(watched))} % watched); ${Math.round(rssMb)} MB`,
    broken,
    figures: {
      'alone, percent of a core': rounded(median(alone)),
      'watched, percent of a core': rounded(median(watched)),
      'being watched, percent of a core': rounded(cost),
      'RSS, MB': rounded(rssMb),
    },
  };
}

async function shareOfCore({ pid }: RunningGateway, seconds: number): Promise<number> {
  const before = { ms: performance.now(), cpu: cpuSecondsOf(pid) };
  await sleep(seconds * 1000);
  return (100 * (cpuSecondsOf(pid) - before.cpu)) / ((performance.now() - before.ms) / 1000);
}

/** Does as an open page does, until the signal; gives how many frames came. */
async function view(gateway: RunningGateway, signal: AbortSignal): Promise<number> {
  const headers = { authorization: `Bearer ${gateway.token}` };
  let frames = 0;
  const request: ClientRequest = get(`http://${gateway.admin}/api/events`, { headers, signal });
  request.on('error', () => {});
  const [response] = await once(request, 'response');
  response.setEncoding('utf8').on('error', () => {});
  response.on('data', (text: string) => {
    if (!text.endsWith('\n\n')) return;
    frames += 1;
    for (const path of LIST_PATHS) void gateway.api(path).then((answer) => answer.arrayBuffer());
  });
  await new Promise<void>((resolve) => response.once('close', resolve));
  return frames;
}

async function scrape(gateway: RunningGateway, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await (await gateway.api('/metrics')).arrayBuffer();
    await sleep(SCRAPE_MS, undefined, { signal }).catch(() => {});
  }
}
