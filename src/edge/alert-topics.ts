import type { Alert } from '../anomaly/alerts/alert.ts';
import { alertJson } from '../anomaly/alerts/verdict.ts';
import { isOpen } from './alert-counts.ts';

const root = '$headwater/alerts';

/** A message of the gateway itself. */
export interface Told {
  readonly topic: string;
  readonly payload: string;
}

/** What rules on site are told of alerts: which are open, and each under a topic of its own, which is emptied when it is over. */
export class AlertTopics {
  /** Those that have a message now. */
  #topics: ReadonlySet<string> = new Set();

  /** The messages for the alerts as they are now: of the open ones, and empty ones for those that were and are not. */
  messages(alerts: readonly Alert[]): readonly Told[] {
    const open = alerts.filter(isOpen);
    const brief = open.map((alert) => {
      const { id, series, kind, severity, startedMs, message } = alertJson(alert);
      return { id, series, kind, severity, startedMs, message, acknowledged: alert.acknowledgedMs !== null };
    });
    // Of several that share a topic, because partitions were added, the worst counts.
    const each = new Map(open.toReversed().map((alert) => [alertTopic(alert), alert] as const));
    const over = [...this.#topics].filter((topic) => !each.has(topic));
    this.#topics = new Set(each.keys());
    return [
      { topic: root, payload: JSON.stringify(brief) },
      { topic: `${root}/count`, payload: `${open.length}` },
      ...[...each].map(([topic, alert]) => ({ topic, payload: JSON.stringify(alertJson(alert)) })),
      ...over.map((topic) => ({ topic, payload: '' })),
    ];
  }
}

/**
 * `$headwater/alerts/KIND/TOPIC/KEY/FIELD`, of an external model `…/model/NAME/…`: the parts of the name of the series are levels, so that
 * a filter can stand for a topic or a device. What MQTT has another use for is percent-encoded.
 */
export function alertTopic({ kind, model, series }: Alert): string {
  const levels = [kind, ...(model === null ? [] : [model]), ...series.split(':')];
  return [root, ...levels.map(legalLevel)].join('/');
}

const legalLevel = (text: string): string =>
  text.replace(/[+#/]/g, (character) => encodeURIComponent(character));
