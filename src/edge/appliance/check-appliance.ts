import { shapeOf } from '../config/setting-kinds.ts';
import { problemsOf, type SettingProblem } from '../config/setting-problems.ts';
import { pathsOf } from '../config/setting-shape.ts';
import { type ApplianceSettings, applianceSection } from './appliance-section.ts';

/** What `appliance` of a boot file says, or what is wrong with it. Pure, and never throws. */
export function checkAppliance(
  tree: unknown,
): { readonly settings: ApplianceSettings } | { readonly problems: readonly SettingProblem[] } {
  const kind = applianceSection();
  const read = kind.safeParse(tree);
  if (read.success) return { settings: read.data ?? {} };
  const known = pathsOf(shapeOf(kind)).map((path) => ['appliance', ...path]);
  const whole = { appliance: tree };
  return {
    problems: read.error.issues.flatMap((issue) =>
      problemsOf({ ...issue, path: ['appliance', ...issue.path] }, whole, known),
    ),
  };
}
