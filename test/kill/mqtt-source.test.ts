import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../ingest/mqtt/harness.ts';
import { publish, pubrel } from '../ingest/mqtt/packets.ts';
import { FakeBroker, type Session } from '../ingest/mqtt-source/fake-broker.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { mqttSourcePlants } from '../support/mqtt-source-plants.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** So that a kill right after an answer is one before the commit, if the answer did not wait for it. */
const SLOW_COMMITS = 'data.commitIntervalMs=1000';

interface Parties {
  /** Kills the gateway, starts it again, and gives its connection once it is subscribed. */
  restart(): Promise<Session>;
}

/** What a broker may rely on, through a SIGKILL at the worst moment. Each tells what is stored, and what should be. */
const scenarios: Readonly<Record<string, (parties: Parties) => Promise<readonly string[]>>> = {
  /** What is acknowledged is stored. */
  async acknowledged({ restart }) {
    const session = await restart();
    session.send(publish('t', 'a', { qos: 1, id: 1 }), publish('t', 'b', { qos: 2, id: 2 }));
    await until(() => session.ids(4).length === 1 && session.ids(5).length === 1, 'the answers');
    await restart();
    return ['a', 'b'];
  },

  /** After PUBCOMP the packet id is free, also for a message whose first PUBLISH got lost. */
  async released({ restart }) {
    const session = await restart();
    session.send(publish('t', 'a', { qos: 2, id: 7 }));
    await until(() => session.ids(5).length === 1, 'PUBREC');
    session.send(pubrel(7));
    await until(() => session.ids(7).length === 1, 'PUBCOMP');
    const later = await restart();
    later.send(publish('t', 'b', { qos: 2, id: 7, dup: true }));
    await until(() => later.ids(5).length === 1, 'PUBREC');
    return ['a', 'b'];
  },

  /** What comes again after a PUBREC that got lost is not stored again. */
  async duplicate({ restart }) {
    const session = await restart();
    session.send(publish('t', 'a', { qos: 2, id: 7 }));
    await until(() => session.ids(5).length === 1, 'PUBREC');
    const later = await restart();
    later.send(publish('t', 'a', { qos: 2, id: 7, dup: true }));
    await until(() => later.ids(5).length === 1, 'PUBREC');
    return ['a'];
  },
};

/** What is stored, and what should be, with this bug in the daemon if there is a name. */
async function played(name: string, plant?: string) {
  await using folder = await temporaryFolder();
  await using broker = await FakeBroker.start();
  broker.behaviour = { isSessionPresent: true };
  const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
  const planted = plant === undefined ? {} : { HEADWATER_PLANT: plant, NODE_OPTIONS: `--import=${hook}` };
  const source = `mqtt.sources=[{ name: plant, url: 'mqtt://127.0.0.1:${broker.port}', topics: [t] }]`;
  const options = { dataDir: join(folder.path, 'data'), set: [SLOW_COMMITS, source] };
  let gateway: RunningGateway | undefined;
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  try {
    const values = async (): Promise<string[]> => {
      const answer = await gateway?.api('/api/records?topic=readings&partition=0&offset=0');
      const lines = ((await answer?.text()) ?? '').split('\n').filter((line) => line !== '');
      return lines.map((line) => (JSON.parse(line) as { value: string }).value);
    };
    const wanted = await scenario({
      restart: async () => {
        await gateway?.kill('SIGKILL');
        const count = broker.sessions.length + 1;
        gateway = await startGateway({ ...options, env: { ...process.env, ...planted } });
        return await broker.session(count);
      },
    });
    return { stored: await values(), wanted };
  } finally {
    await gateway?.kill('SIGKILL');
  }
}

test.each(Object.keys(scenarios))('a broker can rely on its answers through a SIGKILL: %s', async (name) => {
  const { stored, wanted } = await played(name);
  expect(stored).toEqual(wanted);
});

test.each(mqttSourcePlants)('$scenario finds the bug $name', async ({ name, scenario }) => {
  const { stored, wanted } = await played(scenario, name);
  expect(stored).not.toEqual(wanted);
});
