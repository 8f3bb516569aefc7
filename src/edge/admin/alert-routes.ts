import type { AdminApp } from './admin-app.ts';
import {
  type Acknowledgement,
  type AlertDesk,
  AlertRequests,
  acknowledgementSchema,
  type Shelving,
  shelvingSchema,
} from './alert-requests.ts';

/** Each change is durable once it is answered, with the alert as it is then. */
export function addAlerts(app: AdminApp, desk: AlertDesk | null): void {
  const alerts = new AlertRequests(desk);
  app.get('/api/alerts', () => alerts.list());
  type Chosen = { Params: { id: string } };
  app.post<Chosen & { Body: Acknowledgement }>(
    '/api/alerts/:id/ack',
    { schema: { body: acknowledgementSchema } },
    ({ params: { id }, body }) => alerts.acknowledge(id, body),
  );
  app.post<Chosen & { Body: Shelving }>(
    '/api/alerts/:id/shelve',
    { schema: { body: shelvingSchema } },
    ({ params: { id }, body }) => alerts.shelve(id, body),
  );
  app.post<Chosen>('/api/alerts/:id/unshelve', ({ params: { id } }) => alerts.unshelve(id));
}
