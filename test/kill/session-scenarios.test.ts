import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { sessionPlants } from '../support/session-plants.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { scenarios } from './session-scenarios.ts';

/** What a scenario finds wrong, with this bug in the daemon if there is a name. */
async function findings(name: string, plant?: string): Promise<string[]> {
  await using folder = await temporaryFolder();
  const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
  const set = plant === undefined ? {} : { HEADWATER_PLANT: plant, NODE_OPTIONS: `--import=${hook}` };
  const env = { ...process.env, ...set };
  let gateway: RunningGateway | undefined;
  try {
    const scenario = scenarios[name];
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    return await scenario(async () => {
      await gateway?.kill('SIGKILL');
      gateway = await startGateway({ dataDir: join(folder.path, 'data'), env });
      return gateway;
    });
  } finally {
    await gateway?.kill('SIGKILL');
  }
}

test.each(Object.keys(scenarios))('the broker keeps what it has to through a SIGKILL: %s', async (name) => {
  expect(await findings(name)).toEqual([]);
});

test.each(sessionPlants)('$scenario finds the bug $name', async ({ name, scenario }) => {
  expect(await findings(scenario, name)).not.toEqual([]);
});
