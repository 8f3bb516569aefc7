import type { AdminApp } from './admin-app.ts';
import {
  type Acknowledgement,
  type AlertDesk,
  AlertRequests,
  acknowledgementSchema,
  type Shelving,
  shelvingSchema,
} from './alert-requests.ts';
import { alertListSchema, alertSchema } from './description/alert-schema.ts';

/** Each change is durable once it is answered, with the alert as it is then. */
export function addAlerts(app: AdminApp, desk: AlertDesk | null): void {
  const alerts = new AlertRequests(desk);
  app.get(
    '/api/alerts',
    {
      schema: {
        summary: 'All alerts that are not normal, the worst first.',
        response: { 200: alertListSchema },
      },
    },
    () => alerts.list(),
  );
  const response = { 200: alertSchema };
  type Chosen = { Params: { id: string } };
  app.post<Chosen & { Body: Acknowledgement }>(
    '/api/alerts/:id/ack',
    { schema: { summary: 'Somebody has seen an alert.', body: acknowledgementSchema, response } },
    ({ params: { id }, body }) => alerts.acknowledge(id, body),
  );
  app.post<Chosen & { Body: Shelving }>(
    '/api/alerts/:id/shelve',
    { schema: { summary: 'Puts an alert aside for a while.', body: shelvingSchema, response } },
    ({ params: { id }, body }) => alerts.shelve(id, body),
  );
  app.post<Chosen>(
    '/api/alerts/:id/unshelve',
    { schema: { summary: 'Takes it back from there.', response } },
    ({ params: { id } }) => alerts.unshelve(id),
  );
}
