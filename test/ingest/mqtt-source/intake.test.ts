import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { Intake, type Offer } from '../../../src/ingest/mqtt-source/intake.ts';
import type { Publish, Release } from '../../../src/ingest/mqtt-source/packets.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const message = (packetId: number, more: Partial<Publish> = {}): Publish => ({
  ...{ kind: 'publish', topic: 't', payload: Buffer.from(String(packetId)), qos: 1 },
  ...{ isDuplicate: false, packetId, missingBytes: 0, ...more },
});

const refusal = new OperatingError('log-unavailable', 'the disk is full');

/** An intake with offers that the test decides. */
class Bench {
  readonly clock = new ManualClock();
  /** Packet ids in the order of their offers, and what decides the last offer of each. */
  readonly offered: number[] = [];
  readonly decide = new Map<number, PromiseWithResolvers<void>>();
  readonly answered: number[] = [];
  readonly refusals: string[] = [];
  writes = 0;
  makeOffer: (packet: Publish | Release, offer: Offer) => Offer | Promise<Offer> = (_, offer) => offer;

  readonly intake = new Intake({
    offerOf: (packet) =>
      this.makeOffer(packet, () => {
        this.offered.push(packet.packetId);
        const decision = Promise.withResolvers<void>();
        this.decide.set(packet.packetId, decision);
        return decision.promise;
      }),
    answer: (bytes) => {
      this.writes += 1;
      for (let at = 0; at < bytes.length; at += 4) this.answered.push(bytes.readUInt16BE(at + 2));
    },
    onAnswered: () => {},
    onRefused: (reason) => this.refusals.push(reason),
    clock: this.clock,
  });

  take(...packetIds: number[]): void {
    for (const packetId of packetIds) this.intake.take(message(packetId));
  }

  async durable(...packetIds: number[]): Promise<void> {
    for (const packetId of packetIds) this.decide.get(packetId)?.resolve();
    await settled();
  }

  async refused(...packetIds: number[]): Promise<void> {
    for (const packetId of packetIds) this.decide.get(packetId)?.reject(refusal);
    await settled();
  }
}

/** All that follows without time. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

test('packets are offered as they come, not one after the other', async () => {
  const bench = new Bench();
  bench.take(1, 2, 3);
  await settled();
  expect(bench.offered).toEqual([1, 2, 3]);
  expect(bench.answered).toEqual([]);
});

test('answers come only when durable, in the order of arrival, those of one commit in one write', async () => {
  const bench = new Bench();
  bench.take(1, 2, 3);
  await bench.durable(2, 3);
  expect(bench.answered).toEqual([]);
  await bench.durable(1);
  expect(bench.answered).toEqual([1, 2, 3]);
  expect(bench.writes).toBe(1);
  expect(bench.intake.unanswered).toBe(0);
});

test('what the log refuses is offered again in its order until it is taken; nothing after it is answered', async () => {
  const bench = new Bench();
  bench.take(1, 2, 3);
  await settled();
  await bench.durable(2);
  await bench.refused(3, 1);
  bench.take(4);
  await settled();
  expect(bench.offered).toEqual([1, 2, 3]);
  expect(bench.answered).toEqual([]);
  expect(bench.refusals).toEqual(['the disk is full']);
  bench.clock.pass(limits.mqttSourceOfferBackoffMsMin);
  await settled();
  expect(bench.offered).toEqual([1, 2, 3, 1, 3, 4]);
  await bench.durable(1, 3, 4);
  expect(bench.answered).toEqual([1, 2, 3, 4]);
});

test('a log that goes on refusing is asked ever less often, and soon again once it takes', async () => {
  const bench = new Bench();
  bench.take(1);
  let offers = 0;
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 50) {
    await settled();
    if (bench.offered.length > offers) {
      offers = bench.offered.length;
      await bench.refused(1);
    }
    bench.clock.pass(50);
  }
  expect(offers).toBeGreaterThan(60_000 / limits.mqttSourceOfferBackoffMsMax - 1);
  expect(offers).toBeLessThan(60_000 / limits.mqttSourceOfferBackoffMsMax + 10);
  bench.clock.pass(limits.mqttSourceOfferBackoffMsMax);
  await settled();
  await bench.durable(1);
  expect(bench.answered).toEqual([1]);
  bench.take(2);
  await settled();
  await bench.refused(2);
  bench.clock.pass(limits.mqttSourceOfferBackoffMsMin);
  await settled();
  expect(bench.offered.slice(-2)).toEqual([2, 2]);
});

test('a record that takes time to make keeps those after it waiting, so that the order stays', async () => {
  const bench = new Bench();
  const made = Promise.withResolvers<void>();
  bench.makeOffer = (packet, offer) => (packet.packetId === 1 ? made.promise.then(() => offer) : offer);
  bench.take(1, 2);
  await settled();
  expect(bench.offered).toEqual([]);
  made.resolve();
  await settled();
  expect(bench.offered).toEqual([1, 2]);
});

test('a record that cannot be made for now is offered again', async () => {
  const bench = new Bench();
  let isReady = false;
  bench.makeOffer = (_, offer) => (isReady ? offer : Promise.reject(refusal));
  bench.take(1, 2);
  await settled();
  isReady = true;
  bench.clock.pass(limits.mqttSourceOfferBackoffMsMin);
  await settled();
  expect(bench.offered).toEqual([1, 2]);
});

test('no more than its share is offered to the log, and it is full until that is answered', async () => {
  const bench = new Bench();
  const payload = Buffer.alloc(400 * 1024);
  for (const packetId of [1, 2, 3]) bench.intake.take(message(packetId, { payload }));
  await settled();
  expect(bench.offered).toEqual([1, 2]);
  expect(bench.intake.isFull).toBe(true);
  await bench.durable(1);
  expect(bench.offered).toEqual([1, 2, 3]);
  expect(bench.intake.isFull).toBe(false);
});

test('once the connection is over nothing is offered or answered', async () => {
  const bench = new Bench();
  bench.take(1, 2);
  await settled();
  await bench.refused(2);
  bench.intake.close();
  bench.clock.pass(limits.mqttSourceOfferBackoffMsMax);
  await bench.durable(1);
  expect(bench.offered).toEqual([1, 2]);
  expect(bench.answered).toEqual([]);
  await bench.intake.settled();
});

test('whoever waits for the answers is told when all are given', async () => {
  const bench = new Bench();
  await bench.intake.settled();
  bench.take(1, 2);
  let isSettled = false;
  void bench.intake.settled().then(() => {
    isSettled = true;
  });
  await bench.durable(1);
  expect(isSettled).toBe(false);
  await bench.durable(2);
  expect(isSettled).toBe(true);
});
