import { registerHooks } from 'node:module';
import { ownCopyPlant } from '../faults/fault-plants.ts';
import { mqttFuzzPlants } from '../fuzz/mqtt-fuzz-plants.ts';
import { killPlants } from '../kill/kill-plants.ts';
import { clockPlants } from '../sim/clock-plants.ts';
import { hiddenEndPlant, mirrorPlants } from '../sim/mirror-plants.ts';
import { harmlessPlants, plants } from '../sim/plants.ts';
import { mqttSourcePlants } from './mqtt-source-plants.ts';
import { plantedSources } from './planted-sources.ts';
import { sessionPlants } from './session-plants.ts';

/**
 * Loaded with `node --import` into a child process: plants the bug that `HEADWATER_PLANT` names into the modules
 * that Node is about to load. So canaries need no switch in the product, and break loudly when its text changes.
 */
const name = process.env['HEADWATER_PLANT'];
const plant = [
  ...plants,
  ...clockPlants,
  ...harmlessPlants,
  ...mirrorPlants,
  hiddenEndPlant,
  ownCopyPlant,
  ...sessionPlants,
  ...mqttFuzzPlants,
  ...killPlants,
  ...mqttSourcePlants,
].find((row) => row.name === name);
if (plant === undefined) throw new Error(`there is no plant ${name}; see test/sim/plants.ts`);

const sources = plantedSources(plant);

registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    if (source === undefined) return nextLoad(url, context);
    return { format: 'module-typescript', shortCircuit: true, source };
  },
});
