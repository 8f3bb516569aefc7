import { nodeClock } from '../../src/platform/node-clock.ts';
import type { Fault, FaultKind } from './fault-plan.ts';
import type { GatewaySite } from './gateway-site.ts';

const STALL_DELAY_MS = 300;
/** A drain is over when the mirror is so close behind. */
const DRAINED_LAG_RECORDS = 500;
/** A backlog smaller than this leaves before anything can strike it. */
const BACKLOG_BYTES_MIN = 50_000;

/** Does what a fault says, from the moment at which it strikes until cluster and links are well again. */
export async function strike(site: GatewaySite, fault: Fault): Promise<void> {
  const { links } = site.kafka;
  try {
    await strikes[fault.kind](site, fault);
  } finally {
    for (const link of links) link.heal();
    for (const link of links) link.delay(0);
    for (const link of links) link.throttle(null);
    await Promise.all(links.map((link) => link.accept()));
  }
}

const strikes: Readonly<Record<FaultKind, (site: GatewaySite, fault: Fault) => Promise<void>>> = {
  'gateway-kill': (site) => site.killGateway(),
  drain,
  'broker-kill': (site, fault) => withoutBroker(site, fault, () => site.kafka.cluster.kill(fault.node)),
  'broker-stop': (site, fault) => withoutBroker(site, fault, () => site.kafka.cluster.stopBroker(fault.node)),
  'link-cut': (site) => {
    for (const link of site.kafka.links) link.cut();
    return Promise.resolve();
  },
  'black-hole': (site, fault) => {
    for (const link of site.kafka.links) link.blackHole();
    return last(site, fault);
  },
  'black-hole-to-one-broker': (site, fault) => {
    site.kafka.links[fault.node - 1]?.blackHole();
    return last(site, fault);
  },
  stalls: async (site, fault) => {
    for (const link of site.kafka.links) link.delay(STALL_DELAY_MS);
    await Promise.all([stall(site, fault.pausesMs), last(site, fault)]);
  },
  throttle: (site, fault) => {
    throttle(site, fault.bytesPerSecond);
    return last(site, fault);
  },
};

/** The time that a fault lasts, in which the gateway may be killed. */
async function last(site: GatewaySite, { kills, end }: Fault): Promise<void> {
  for (const count of kills) {
    await site.acknowledged(count);
    await site.killGateway();
  }
  await site.acknowledged(end);
}

async function withoutBroker(site: GatewaySite, fault: Fault, go: () => Promise<void>): Promise<void> {
  await go();
  try {
    await last(site, fault);
  } finally {
    await site.kafka.cluster.restart(fault.node);
  }
}

/** Now and then nothing passes for a while, and then as long everything. */
async function stall({ kafka }: GatewaySite, pausesMs: readonly number[]): Promise<void> {
  for (const ms of pausesMs) {
    for (const link of kafka.links) link.blackHole();
    await nodeClock.sleep(ms);
    for (const link of kafka.links) link.heal();
    await nodeClock.sleep(ms);
  }
}

/** No link while readings pile up, partly in segments if the gateway is killed; then a slow one, and more kills. */
async function drain(site: GatewaySite, fault: Fault): Promise<void> {
  const { links } = site.kafka;
  for (const link of links) link.refuse();
  for (const link of links) link.cut();
  const before = await site.segmentBytes();
  await last(site, fault);
  // With the second kill at the latest the file is complete in which the mirror stands, and goes into segments.
  await site.hasSealed(before);
  const bytes = await site.backlogBytes();
  throttle(site, Math.max(BACKLOG_BYTES_MIN, bytes / fault.drainSeconds));
  const from = site.carried();
  await Promise.all(links.map((link) => link.accept()));
  for (const share of fault.drainKills) {
    if (bytes < BACKLOG_BYTES_MIN) continue;
    await site.hasCarried(from + share * bytes, DRAINED_LAG_RECORDS);
    await site.killGateway();
  }
  await site.caughtUp(DRAINED_LAG_RECORDS);
}

/** The links share so much. */
function throttle({ kafka }: GatewaySite, bytesPerSecond: number): void {
  for (const link of kafka.links) link.throttle(Math.ceil(bytesPerSecond / kafka.links.length));
}
