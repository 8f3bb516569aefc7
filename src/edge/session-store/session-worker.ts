import { parentPort, workerData } from 'node:worker_threads';
import { assert, messageOf } from '../../core/errors.ts';
import { SessionFile } from './session-file.ts';
import type { StoreAnswer, StoreRequest } from './store-protocol.ts';

/* The thread that keeps MQTT sessions: one request after the other, as `WorkerSessionStore` sends them. */

const port = parentPort;
assert(port !== null, 'this module runs in a thread of its own');
const file = new SessionFile(workerData as string);

port.on('message', (request: StoreRequest) => {
  let answer: StoreAnswer;
  try {
    answer = answerTo(request);
  } catch (error) {
    answer = { error: messageOf(error) };
  }
  port.postMessage(answer);
});

function answerTo(request: StoreRequest): StoreAnswer {
  switch (request.kind) {
    case 'load': {
      const [content, damage] = file.load();
      return { content, damage, ...file.usage() };
    }
    case 'write':
      file.write(request.changes, request.isSynced);
      return { damage: null, ...file.usage() };
    case 'close':
      file.close();
      return { damage: null, ...file.usage() };
  }
}
