import { limits } from '../../core/limits.ts';

/** Names of partitions for a person, who needs no more than some to see what happened. */
export function listed(names: readonly string[]): string {
  const rest = names.length - limits.partitionsNamedMax;
  const named = names.slice(0, limits.partitionsNamedMax).join(', ');
  return rest > 0 ? `${named} and ${rest} more` : named;
}
