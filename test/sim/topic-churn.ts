import type { NewRecord } from '../../src/core/record.ts';
import type { Log } from '../../src/log/log.ts';
import type { SimRandom } from '../support/sim-random.ts';
import type { Oracle } from './oracle.ts';

/** The log of one life. */
export interface ChurnLink {
  readonly log: Log;
  readonly oracle: Oracle;
  readonly isDead: () => boolean;
  /** The answer, or undefined if the log refuses. */
  readonly ask: <T>(answer: Promise<T>) => Promise<T | undefined>;
  readonly newRecord: (topic: string, partition: number) => NewRecord;
  /** Hears what was acknowledged. */
  readonly acknowledged: (topic: string, partition: number, offset: number, record: NewRecord) => void;
}

export const churnedTopic = 'c';
const partitionsMax = 3;

/** Somebody who creates a topic, writes to it, and deletes it again, over and over. */
export class TopicChurn {
  readonly #random: SimRandom;
  /** A deletion was asked for, and nobody said what became of it. */
  #isUndecided: boolean;

  constructor(random: SimRandom, isUndecided = false) {
    this.#random = random;
    this.#isUndecided = isUndecided;
  }

  /** For another course of events from here on. */
  fork(): TopicChurn {
    return new TopicChurn(this.#random, this.#isUndecided);
  }

  /** Some steps, and what the last life left undecided: the log says by now what became of it. */
  async work(link: ChurnLink): Promise<void> {
    if (this.#isUndecided) link.oracle.mayRemove(churnedTopic);
    this.#isUndecided = false;
    for (let steps = this.#random.below(6); steps > 0 && !link.isDead(); steps -= 1) {
      const count = link.log.topics().find(({ name }) => name === churnedTopic)?.partitions;
      if (count === undefined) await this.#create(link);
      else if (this.#random.chance(0.2)) await this.#delete(link);
      else await this.#append(link, count);
    }
  }

  /** The life has ended: what it was asked last may have been done. */
  lifeEnded(oracle: Oracle): void {
    if (this.#isUndecided) oracle.mayRemove(churnedTopic);
  }

  async #create({ log, ask }: ChurnLink): Promise<void> {
    await ask(log.growTopic(churnedTopic, 1 + this.#random.below(partitionsMax)));
  }

  async #append(link: ChurnLink, partitions: number): Promise<void> {
    const partition = this.#random.below(partitions);
    const records = Array.from({ length: 1 + this.#random.below(4) }, () =>
      link.newRecord(churnedTopic, partition),
    );
    const appended = await link.ask(link.log.append(records));
    if (link.isDead() || appended === undefined) return;
    for (const [index, { offset }] of appended.entries())
      link.acknowledged(churnedTopic, partition, offset, records[index] as NewRecord);
  }

  async #delete({ log, ask, isDead, oracle }: ChurnLink): Promise<void> {
    oracle.mayRemove(churnedTopic);
    this.#isUndecided = true;
    const deleted = await ask(log.deleteTopic(churnedTopic).then(() => true));
    if (isDead() || deleted === undefined) return;
    this.#isUndecided = false;
    oracle.isRemoved(churnedTopic);
  }
}
