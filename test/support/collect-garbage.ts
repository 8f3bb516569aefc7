import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage of this process, so that what is left is what it keeps. */
export const collectGarbage = runInNewContext('gc') as () => void;
