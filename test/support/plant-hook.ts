import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { plants } from '../sim/plants.ts';

/**
 * Loaded with `node --import` into a child process: plants the bug that `HEADWATER_PLANT` names into the module
 * that Node is about to load. So canaries need no switch in the product, and break loudly when its text changes.
 */
const name = process.env['HEADWATER_PLANT'];
const plant = plants.find((row) => row.name === name);
if (plant === undefined) throw new Error(`there is no plant ${name}; see test/sim/plants.ts`);
const target = new URL(`../../${plant.file}`, import.meta.url).href;

let source = readFileSync(fileURLToPath(target), 'utf8');
for (const { find, replace } of plant.edits) {
  const pieces = source.split(find);
  if (pieces.length !== 2) {
    throw new Error(
      `${plant.file} holds «${find}» of plant ${plant.name} ${pieces.length - 1} times instead of once`,
    );
  }
  source = pieces.join(replace);
}

registerHooks({
  load(url, context, nextLoad) {
    if (url !== target) return nextLoad(url, context);
    return { format: 'module-typescript', shortCircuit: true, source };
  },
});
