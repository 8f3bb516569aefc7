import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Plant } from '../sim/plants.ts';

/**
 * The modules that a plant changes, by their address.
 * @throws Error if the product has no longer just one place for one of its edits
 */
export function plantedSources(plant: Plant): ReadonlyMap<string, string> {
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
  return sources;
}

/** Changes the modules of a plant when this process loads them. */
export function plantWhenLoaded(plant: Plant): void {
  const sources = plantedSources(plant);
  registerHooks({
    load(url, context, nextLoad) {
      const source = sources.get(url);
      if (source === undefined) return nextLoad(url, context);
      return { format: 'module-typescript', shortCircuit: true, source };
    },
  });
}
