import type { PortEvent } from '../../ingest/serial/port-watchers.ts';
import type { AdminApp } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { linesSchema, portEventSchema } from './description/record-schema.ts';
import type { LineStreams } from './line-streams.ts';
import { portEventJson } from './port-event-json.ts';

/** What can be watched. */
export interface WatchedPorts {
  /** What happens at a port from now on, until the signal is aborted; null if there is none of that name. */
  watch(name: string, signal: AbortSignal): AsyncIterable<PortEvent> | null;
}

/**
 * The lines of `GET /api/serial/NAME/events`, line ends included.
 * @throws ApiError `not-found`
 */
export function portEventLines(
  ports: WatchedPorts,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const events = ports.watch(name, signal);
  if (events === null) throw new ApiError('not-found', `the gateway has no serial port ${name}`);
  return linesOf(events);
}

async function* linesOf(events: AsyncIterable<PortEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(portEventJson(event))}\n`;
}

/** What happens at a port is shown as it happens; it goes to the log all the same. */
export function addSerial(app: AdminApp, serial: WatchedPorts, streams: LineStreams): void {
  app.get<{ Params: { name: string } }>(
    '/api/serial/:name/events',
    {
      schema: {
        summary: 'What happens at a serial port, as it happens.',
        response: { 200: linesSchema(portEventSchema) },
      },
    },
    async ({ params: { name } }, reply) =>
      await streams.send(reply, (gone) => portEventLines(serial, name, gone)),
  );
}
