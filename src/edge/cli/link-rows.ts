import type { LocalTime } from '../../core/local-time.ts';
import { spanText } from '../../forwarder/lanes/link-hours.ts';
import { restOf } from '../../forwarder/lanes/link-rest.ts';
import { type LinkStatus, restText } from '../../forwarder/progress/link-status.ts';
import type { Config } from '../config/schema.ts';
import { bytesText } from './amounts.ts';

/** What the link may be used for, what was used of that today, and whether bulk waits; nothing without rules. */
export function linkRows(link: LinkStatus | null): readonly string[] {
  if (link === null) return [];
  const { bytesPerDay, spentBytes, hours, rest } = link;
  return [
    ...(rest === null ? [] : [restText(rest)]),
    ...(bytesPerDay === null
      ? []
      : [`today ${bytesText(spentBytes ?? 0)} of ${bytesText(bytesPerDay)} used (forwarder.bytesPerDay)`]),
    ...(hours === null ? [] : [hoursText(hours)]),
  ];
}

/**
 * The same for the doctor, who knows the configuration and the time, and of no gateway what it has used. `local` is null while the clock is
 * not set.
 */
export function linkAdvice(
  { bytesPerDay, hours }: Pick<Config['forwarder'], 'bytesPerDay' | 'hours'>,
  local: LocalTime | null,
): readonly string[] {
  const rules = { bytesPerDay: bytesPerDay ?? null, hours: hours ?? null };
  const rest = restOf(rules, false, local);
  const now = rest === null ? 'it may now' : restText(rest);
  return [
    ...(hours === undefined ? [] : [`${hoursText(hours.map(spanText))}; ${now}`]),
    ...(bytesPerDay === undefined
      ? []
      : [
          `bulk stops for the day when ${bytesText(bytesPerDay)} are used (forwarder.bytesPerDay); "headwater status" says ` +
            'how many are. What the doctor sends does not count',
        ]),
  ];
}

const hoursText = (spans: readonly string[]): string => `bulk sends ${spans.join(', ')} (forwarder.hours)`;
