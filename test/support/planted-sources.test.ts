import { expect, test } from 'vitest';
import { ownCopyPlant } from '../faults/fault-plants.ts';
import { mqttFuzzPlants } from '../fuzz/mqtt-fuzz-plants.ts';
import { killPlants } from '../kill/kill-plants.ts';
import { hiddenEndPlant, mirrorPlants } from '../sim/mirror-plants.ts';
import { harmlessPlants, plants } from '../sim/plants.ts';
import { mqttSourcePlants } from './mqtt-source-plants.ts';
import { plantedSources } from './planted-sources.ts';
import { sessionPlants } from './session-plants.ts';

const all = [
  ...plants,
  ...harmlessPlants,
  ...mirrorPlants,
  hiddenEndPlant,
  ownCopyPlant,
  ...sessionPlants,
  ...mqttFuzzPlants,
  ...killPlants,
  ...mqttSourcePlants,
];

test.each(all.map((plant) => [plant.name, plant] as const))('the code has a place for %s', (_, plant) => {
  expect(plantedSources(plant).size).toBeGreaterThan(0);
});

test('a plant whose text is gone is told', () => {
  const plant = { name: 'x', file: 'src/log/log.ts', edits: [{ find: 'not there at all', replace: '' }] };
  expect(() => plantedSources(plant)).toThrow('0 times instead of once');
});
