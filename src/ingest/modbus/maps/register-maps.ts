import type { Register } from '../register.ts';
import { sdm120 } from './sdm120.ts';
import { sdm630 } from './sdm630.ts';
import { xyMd02 } from './xy-md02.ts';

/** What common devices have in their registers: the values of `map` of a unit. */
export const registerMaps = {
  sdm120,
  sdm630,
  'xy-md02': xyMd02,
} as const satisfies Readonly<Record<string, readonly Register[]>>;

export type RegisterMapName = keyof typeof registerMaps;
