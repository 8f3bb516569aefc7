import type { AdminApp, AdminReply } from './admin-app.ts';
import { ApiError } from './api-error.ts';
import { framesSchema } from './description/page-schema.ts';
import { type PageFile, readPageFiles } from './page-files.ts';
import type { Viewers } from './viewers.ts';

const START = 'page.html';

/**
 * The page: its files are for everybody, because they hold no data; what it shows wants a login. The files are read when somebody first asks
 * for one, and kept.
 */
export function addPage(app: AdminApp, viewers: Viewers): void {
  let reading: Promise<ReadonlyMap<string, PageFile>> | undefined;
  const send = async (
    name: string,
    ifNoneMatch: string | undefined,
    reply: AdminReply,
  ): Promise<AdminReply> => {
    reading ??= readPageFiles();
    const file = (await reading).get(name);
    if (file === undefined) throw new ApiError('not-found', `the page has no file ${name}`);
    // Kept, but asked for each time: after an update nobody shall have half of the old page.
    reply.header('cache-control', 'no-cache').header('etag', file.etag);
    if (ifNoneMatch === file.etag) return reply.code(304).send();
    return reply.header('content-type', file.contentType).send(file.bytes);
  };
  const open = { config: { open: true } };
  app.get('/', { ...open, exposeHeadRoute: true }, ({ headers }, reply) =>
    send(START, headers['if-none-match'], reply),
  );
  app.get<{ Params: { file: string } }>('/page/:file', open, ({ params: { file }, headers }, reply) =>
    send(file, headers['if-none-match'], reply),
  );
  app.get(
    '/api/events',
    { schema: { summary: 'What there is to see, as it goes.', response: { 200: framesSchema } } },
    (_request, reply) => viewers.add(reply),
  );
}
