/**
 * Proves that the product runs as Node itself runs it: every module under `src` loads (the test runner transforms
 * files that Node refuses), and a gateway starts, becomes ready and stops.
 */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGateway } from './support/gateway-process.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const TIME_MS_MAX = 90_000;
const source = fileURLToPath(new URL('../src/', import.meta.url));
/** These do their work when they are loaded; here they run as a process or a thread of the gateway. */
const entryPoints = new Set(['edge/main.ts', 'edge/seal-worker.ts', 'edge/session-store/session-worker.ts']);

const overdue = setTimeout(() => {
  console.error(`smoke: not done within ${TIME_MS_MAX} ms`);
  process.exit(1);
}, TIME_MS_MAX);

const loaded = await loadEveryModule();
console.log(`smoke: Node ${process.version} loads all ${loaded} modules`);
await startAndStop();
console.log('smoke: the gateway starts, is ready and stops');
clearTimeout(overdue);

async function loadEveryModule(): Promise<number> {
  let count = 0;
  for await (const path of glob('**/*.ts', { cwd: source })) {
    if (entryPoints.has(path)) continue;
    await import(join(source, path));
    count += 1;
  }
  return count;
}

async function startAndStop(): Promise<void> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const ready = await fetch(`http://${gateway.admin}/readyz`);
  if (ready.status !== 200) throw new Error(`not ready: ${await ready.text()}`);
  const { code } = await gateway.kill('SIGTERM');
  if (code !== 0) throw new Error(`stopped with exit code ${code}:\n${gateway.stderr()}`);
}
