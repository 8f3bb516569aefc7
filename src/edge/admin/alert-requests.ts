import type { Alert } from '../../anomaly/alerts/alert.ts';
import { type AlertJson, alertJson } from '../../anomaly/alerts/verdict.ts';
import { limits } from '../../core/limits.ts';
import { ApiError } from './api-error.ts';

/** What people may do with alerts. Each change is durable once it has resolved; with null if there is no such alert. */
export interface AlertDesk {
  /** All that are not normal, the worst first. */
  list(): readonly Alert[];
  /** Findings that no alert was made of, because too many are open. */
  readonly heldBack: number;
  acknowledge(id: string, by: string): Promise<Alert | null>;
  shelve(id: string, forMs: number): Promise<Alert | null>;
  unshelve(id: string): Promise<Alert | null>;
}

/** The body of `POST /api/alerts/ID/ack`. */
export interface Acknowledgement {
  readonly by: string;
}

/** The JSON schema of {@link Acknowledgement}. */
export const acknowledgementSchema = {
  type: 'object',
  required: ['by'],
  additionalProperties: false,
  properties: { by: { type: 'string', minLength: 1, maxLength: limits.alertActorBytesMax } },
};

/** The body of `POST /api/alerts/ID/shelve`. */
export interface Shelving {
  readonly forMs: number;
}

/** The JSON schema of {@link Shelving}. */
export const shelvingSchema = {
  type: 'object',
  required: ['forMs'],
  additionalProperties: false,
  properties: { forMs: { type: 'integer', minimum: 1, maximum: limits.alertShelvedMsMax } },
};

/** The requests about alerts, in which an id may be shortened. They throw an {@link ApiError} that says what to do instead. */
export class AlertRequests {
  readonly #desk: AlertDesk | null;

  /** @param desk null if detection is switched off */
  constructor(desk: AlertDesk | null) {
    this.#desk = desk;
  }

  list(): { readonly alerts: readonly AlertJson[]; readonly heldBack: number } {
    const desk = this.#open();
    return { alerts: desk.list().map(alertJson), heldBack: desk.heldBack };
  }

  async acknowledge(given: string, { by }: Acknowledgement): Promise<AlertJson> {
    const id = this.#idOf(given);
    return answerOf(await this.#open().acknowledge(id, by), id, 'open');
  }

  async shelve(given: string, { forMs }: Shelving): Promise<AlertJson> {
    const id = this.#idOf(given);
    return answerOf(await this.#open().shelve(id, forMs), id, 'open or shelved');
  }

  async unshelve(given: string): Promise<AlertJson> {
    const id = this.#idOf(given);
    return answerOf(await this.#open().unshelve(id), id, 'shelved');
  }

  #open(): AlertDesk {
    if (this.#desk !== null) return this.#desk;
    throw new ApiError('anomaly-off', 'anomaly detection is switched off: anomaly.enabled is false');
  }

  /** The whole id of the one alert whose id begins like this. */
  #idOf(given: string): string {
    const desk = this.#open();
    if (!/^[0-9a-f]{4,16}$/.test(given))
      throw new ApiError(
        'bad-request',
        'the id of an alert is 16 hex digits; at least its first 4 are needed',
      );
    const ids = desk.list().flatMap(({ id }) => (id.startsWith(given) ? [id] : []));
    const [id, other] = ids;
    if (id === undefined) throw unknown(given, 'here; it may have been cleared');
    if (other === undefined) return id;
    throw new ApiError('ambiguous-alert', `${ids.length} alerts begin with ${given}: ${ids.join(', ')}`);
  }
}

function answerOf(alert: Alert | null, id: string, wanted: string): AlertJson {
  if (alert === null) throw unknown(id, wanted);
  return alertJson(alert);
}

const unknown = (id: string, what: string): ApiError =>
  new ApiError('unknown-alert', `no alert ${id} is ${what}`);
