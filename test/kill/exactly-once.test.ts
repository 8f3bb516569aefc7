import { expect, test } from 'vitest';
import { killPlants } from './kill-plants.ts';
import { killsUnderLoad } from './kills-under-load.ts';

/* The short form of `npm run kills`. */

test('nothing acknowledged is lost over ten SIGKILLs, and nothing sent with QoS 2 is there twice', async () => {
  const { acknowledged, sent, wrong, resent } = await killsUnderLoad({ kills: 10, clients: 20 });
  expect(acknowledged).toBe(sent);
  expect(wrong).toEqual([]);
  // Otherwise no kill came between a PUBLISH and the end of its handshake, and this test has proved little.
  expect(resent.publishes).toBeGreaterThan(0);
  expect(resent.releases).toBeGreaterThan(0);
});

test.each(killPlants)('kills show the bug $name: something is $shows', async ({ name, shows }) => {
  const { wrong } = await killsUnderLoad({ kills: 4, clients: 20, plant: name });
  expect(wrong.map(({ kind }) => kind)).toContain(shows);
});
