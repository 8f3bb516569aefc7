import type { FastifyInstance } from 'fastify';
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

const acknowledgementSchema = {
  type: 'object',
  required: ['by'],
  additionalProperties: false,
  properties: { by: { type: 'string', minLength: 1, maxLength: limits.alertActorBytesMax } },
};

const shelvingSchema = {
  type: 'object',
  required: ['forMs'],
  additionalProperties: false,
  properties: { forMs: { type: 'integer', minimum: 1, maximum: limits.alertShelvedMsMax } },
};

/** Adds what is to be known of alerts and done with them. `desk` is null if detection is switched off. */
export function addAlerts(app: FastifyInstance, desk: AlertDesk | null): void {
  type Chosen = { Params: { id: string } };
  app.get('/api/alerts', () => {
    const { heldBack } = opened(desk);
    return { alerts: opened(desk).list().map(alertJson), heldBack };
  });
  app.post<Chosen & { Body: { readonly by: string } }>(
    '/api/alerts/:id/ack',
    { schema: { body: acknowledgementSchema } },
    async ({ params, body: { by } }) => {
      const id = chosenId(opened(desk), params.id);
      return answerOf(await opened(desk).acknowledge(id, by), id, 'open');
    },
  );
  app.post<Chosen & { Body: { readonly forMs: number } }>(
    '/api/alerts/:id/shelve',
    { schema: { body: shelvingSchema } },
    async ({ params, body: { forMs } }) => {
      const id = chosenId(opened(desk), params.id);
      return answerOf(await opened(desk).shelve(id, forMs), id, 'open or shelved');
    },
  );
  app.post<Chosen>('/api/alerts/:id/unshelve', async ({ params }) => {
    const id = chosenId(opened(desk), params.id);
    return answerOf(await opened(desk).unshelve(id), id, 'shelved');
  });
}

function opened(desk: AlertDesk | null): AlertDesk {
  if (desk !== null) return desk;
  throw new ApiError('anomaly-off', 'anomaly detection is switched off: anomaly.enabled is false');
}

/** The whole id of the one alert whose id begins like this. */
function chosenId(desk: AlertDesk, given: string): string {
  if (!/^[0-9a-f]{4,16}$/.test(given))
    throw new ApiError('bad-request', 'the id of an alert is 16 hex digits; at least its first 4 are needed');
  const ids = desk.list().flatMap(({ id }) => (id.startsWith(given) ? [id] : []));
  const [id, other] = ids;
  if (id === undefined) throw unknown(given, 'here; it may have been cleared');
  if (other === undefined) return id;
  throw new ApiError('ambiguous-alert', `${ids.length} alerts begin with ${given}: ${ids.join(', ')}`);
}

function answerOf(alert: Alert | null, id: string, wanted: string): AlertJson {
  if (alert === null) throw unknown(id, wanted);
  return alertJson(alert);
}

const unknown = (id: string, what: string): ApiError =>
  new ApiError('unknown-alert', `no alert ${id} is ${what}`);
