import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { hiddenEndPlant, mirrorPlants } from '../sim/mirror-plants.ts';
import { harmlessPlants, plants } from '../sim/plants.ts';

/**
 * Loaded with `node --import` into a child process: plants the bug that `HEADWATER_PLANT` names into the modules
 * that Node is about to load. So canaries need no switch in the product, and break loudly when its text changes.
 */
const name = process.env['HEADWATER_PLANT'];
const plant = [...plants, ...harmlessPlants, ...mirrorPlants, hiddenEndPlant].find(
  (row) => row.name === name,
);
if (plant === undefined) throw new Error(`there is no plant ${name}; see test/sim/plants.ts`);

/** The changed modules by their address. */
const sources = new Map<string, string>();
for (const { file = plant.file, find, replace } of plant.edits) {
  const url = new URL(`../../${file}`, import.meta.url).href;
  const pieces = (sources.get(url) ?? readFileSync(fileURLToPath(url), 'utf8')).split(find);
  if (pieces.length !== 2) {
    throw new Error(
      `${file} holds «${find}» of plant ${plant.name} ${pieces.length - 1} times instead of once`,
    );
  }
  sources.set(url, pieces.join(replace));
}

registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    if (source === undefined) return nextLoad(url, context);
    return { format: 'module-typescript', shortCircuit: true, source };
  },
});
