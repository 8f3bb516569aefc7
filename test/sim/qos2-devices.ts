import type { Qos2Id, Qos2Log } from '../../src/core/qos2.ts';
import type { NewRecord } from '../../src/core/record.ts';
import type { SimRandom } from '../support/sim-random.ts';

/** One packet id of a device. A device remembers all this over its own and the gateway's restarts. */
interface Slot {
  readonly id: Qos2Id;
  /** What is being sent, from its first try until it is acknowledged. */
  sending: string | undefined;
  /** It was acknowledged, and its release was not. */
  isReleasing: boolean;
}

interface Device {
  readonly client: string;
  readonly slots: readonly Slot[];
  /** It wants to begin a clean session, and has not been told that it did. */
  isCleaning: boolean;
}

/** The log of one life. */
export interface DeviceLink {
  readonly log: Qos2Log;
  readonly isDead: () => boolean;
  /** The answer, or undefined if the log refuses. */
  readonly ask: <T>(answer: Promise<T>) => Promise<T | undefined>;
  readonly newValue: () => string;
  readonly recordOf: (value: string) => NewRecord;
}

/** Devices that publish with QoS 2: each sends until it is acknowledged, then releases, then uses the id again. */
export class Qos2Devices {
  readonly #random: SimRandom;
  readonly #acknowledged = new Set<string>();
  readonly #devices: readonly Device[] = ['x', 'y'].map((client) => ({
    client,
    isCleaning: false,
    slots: [1, 2].map((packetId) => ({ id: { client, packetId }, sending: undefined, isReleasing: false })),
  }));

  constructor(random: SimRandom) {
    this.#random = random;
  }

  /** Some steps of all devices. */
  async work(link: DeviceLink): Promise<void> {
    await Promise.all(
      this.#devices.map(async (device) => {
        for (let steps = this.#random.below(12); steps > 0 && !link.isDead(); steps -= 1) {
          if (device.isCleaning || this.#random.chance(0.05)) await this.#clean(device, link);
          else await this.#step(device.slots[this.#random.below(device.slots.length)] as Slot, link);
        }
      }),
    );
  }

  /**
   * What is wrong with a log that holds these values: acknowledged ones must be among them, but for as many as it says it
   * has dropped.
   */
  check(found: ReadonlyMap<string, string>, droppedRecords: number): string | undefined {
    const values = new Set(found.values());
    const lost = [...this.#acknowledged].filter((value) => !values.has(value));
    if (lost.length <= droppedRecords) return undefined;
    const [first = ''] = lost;
    return `QoS 2 message ${first.slice(0, 20)} was acknowledged and is lost; ${lost.length} are, and ${droppedRecords} were dropped`;
  }

  async #step(slot: Slot, link: DeviceLink): Promise<void> {
    const { log, ask, isDead } = link;
    if (slot.isReleasing) {
      const released = await ask(log.release(slot.id).then(() => true));
      if (released && !isDead()) slot.isReleasing = false;
      return;
    }
    const value = slot.sending ?? link.newValue();
    slot.sending = value;
    const tries = Array.from({ length: this.#random.chance(0.2) ? 2 : 1 }, () =>
      ask(log.appendOnce(link.recordOf(value), slot.id)),
    );
    const answers = await Promise.all(tries);
    if (isDead() || answers.includes(undefined)) return;
    this.#acknowledged.add(value);
    slot.sending = undefined;
    slot.isReleasing = true;
  }

  async #clean(device: Device, { log, ask, isDead }: DeviceLink): Promise<void> {
    device.isCleaning = true;
    for (const slot of device.slots) Object.assign(slot, { sending: undefined, isReleasing: false });
    const cleaned = await ask(log.releaseAll(device.client).then(() => true));
    if (cleaned && !isDead()) device.isCleaning = false;
  }
}
