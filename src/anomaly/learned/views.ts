import { levelOrder } from './views/level-order.ts';
import { levelShift } from './views/level-shift.ts';
import { residual } from './views/residual.ts';
import { shapes } from './views/shapes.ts';
import { timeOfDay } from './views/time-of-day.ts';
import { valueMix } from './views/value-mix.ts';
import type { View } from './views/view.ts';

/** All views of the mixture. A new one is a line here; the tests of the contract find it by themselves. */
export const views: readonly View[] = [residual, timeOfDay, levelOrder, shapes, levelShift, valueMix];
