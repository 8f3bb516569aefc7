import { expect, test } from 'vitest';
import { allPlants } from './all-plants.ts';
import { plantedSources } from './planted-sources.ts';

test.each(allPlants.map((plant) => [plant.name, plant] as const))(
  'the code has a place for %s',
  (_, plant) => {
    expect(plantedSources(plant).size).toBeGreaterThan(0);
  },
);

test('a plant whose text is gone is told', () => {
  const plant = { name: 'x', file: 'src/log/log.ts', edits: [{ find: 'not there at all', replace: '' }] };
  expect(() => plantedSources(plant)).toThrow('0 times instead of once');
});
