import { allPlants } from './all-plants.ts';
import { plantWhenLoaded } from './planted-sources.ts';

/**
 * Loaded with `node --import` into a child process: plants the bug that `HEADWATER_PLANT` names into the modules
 * that Node is about to load. So canaries need no switch in the product, and break loudly when its text changes.
 */
const name = process.env['HEADWATER_PLANT'];
const plant = allPlants.find((row) => row.name === name);
if (plant === undefined) throw new Error(`there is no plant ${name}; see test/support/all-plants.ts`);

plantWhenLoaded(plant);
