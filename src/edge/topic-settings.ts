import type { TopicSettings } from '../log/types.ts';

/** Why these settings cannot stand together; undefined if they can. */
export function settingsContradiction({ retention, dropUnforwarded }: TopicSettings): string | undefined {
  if (dropUnforwarded !== true) return undefined;
  if (retention === 'until-forwarded')
    return 'choose one: until-forwarded keeps what was not sent, dropUnforwarded lets retention remove it';
  if (retention?.bytes === undefined && retention?.ageMs === undefined)
    return 'set retention by bytes or age as well: without it, nothing is removed that dropUnforwarded is about';
  return undefined;
}
