import { ownCopyPlant } from '../faults/fault-plants.ts';
import { mqttFuzzPlants } from '../fuzz/mqtt-fuzz-plants.ts';
import { serialFuzzPlants } from '../fuzz/serial-fuzz-plants.ts';
import { killPlants } from '../kill/kill-plants.ts';
import { alertPlants } from '../sim/alert-plants.ts';
import { clockPlants } from '../sim/clock-plants.ts';
import { hiddenEndPlant, mirrorPlants } from '../sim/mirror-plants.ts';
import { harmlessPlants, type Plant, plants } from '../sim/plants.ts';
import { mqttSourcePlants } from './mqtt-source-plants.ts';
import { sessionPlants } from './session-plants.ts';

/** Every planted bug of every tier. */
export const allPlants: readonly Plant[] = [
  ...plants,
  ...clockPlants,
  ...alertPlants,
  ...harmlessPlants,
  ...mirrorPlants,
  hiddenEndPlant,
  ownCopyPlant,
  ...sessionPlants,
  ...mqttFuzzPlants,
  ...serialFuzzPlants,
  ...killPlants,
  ...mqttSourcePlants,
];
