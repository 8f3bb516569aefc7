/* How the mirror to the cluster does, in words. A connection alone is never called good: only what was acknowledged is. Pure. */
import { sentence } from './troubles.js';
import { bytesText, counted, countText, durationText, rateText } from './words.js';

/** @typedef {import('../../forwarder/progress/status.ts').ForwarderStatus} ForwarderStatus */

/**
 * @typedef {object} LinkView
 * @property {'ok' | 'idle' | 'warn'} tone being offline is never red: nothing is refused for it
 * @property {string} state in a word or two
 * @property {string} headline
 * @property {readonly (readonly [string, string])[]} facts
 */

/** @param {ForwarderStatus | null} forwarder @returns {LinkView} */
export function linkView(forwarder) {
  if (forwarder === null)
    return {
      tone: 'idle',
      state: 'no cluster',
      headline:
        'No cluster is configured: everything is stored here, nothing is sent. Name one with forwarder.brokers.',
      facts: [],
    };
  const { lagRecords, lagBytes, lagSeconds, goodput, lastDay, retries, lastError, message } = forwarder;
  return {
    ...toneOf(forwarder),
    headline: sentence(message),
    facts: [
      ['Last acknowledged', acknowledgedText(forwarder)],
      [
        'Waiting',
        lagRecords === 0
          ? 'nothing'
          : `${counted(lagRecords, 'record')}, about ${bytesText(lagBytes)}, the oldest for ${durationText(lagSeconds)}`,
      ],
      ['Backlog gone in', drainText(forwarder)],
      ['Goodput', `${rateText(goodput.recordsPerSecond)} records/s, ${bytesText(goodput.bytesPerSecond)}/s`],
      ['New meanwhile', `${rateText(goodput.arrivingRecordsPerSecond)} records/s`],
      [
        lastDay.seconds > 23 * 3600 ? 'Last 24 hours' : 'Since the start',
        `${bytesText(lastDay.bytesAcknowledged)} acknowledged, ${bytesText(lastDay.linkBytesWritten)} sent over the link`,
      ],
      ...linkRules(forwarder),
      .../** @type {[string, string][]} */ (
        retries.length === 0
          ? []
          : [
              [
                'Tried again',
                retries
                  .map(
                    ({ kind, cause, count }) =>
                      `${countText(count)} × ${kind}${cause === '' ? '' : ` (${cause})`}`,
                  )
                  .join(', '),
              ],
            ]
      ),
      .../** @type {[string, string][]} */ (
        lastError === null || message.includes(lastError.message) ? [] : [['Last error', lastError.message]]
      ),
      .../** @type {[string, string][]} */ (
        forwarder.delivery === 'at-least-once'
          ? [['Delivery', 'at least once: records may arrive twice after a failure']]
          : []
      ),
    ],
  };
}

/** @param {ForwarderStatus} forwarder @returns {Pick<LinkView, 'tone' | 'state'>} */
function toneOf({ state, isStale, lagRecords, secondsSinceAcknowledged }) {
  if (isStale) return { tone: 'warn', state: 'nothing arrives' };
  switch (state) {
    case 'connecting':
    case 'opening':
      return { tone: 'idle', state: 'starting' };
    case 'backing-off':
      return { tone: 'warn', state: 'trying again' };
    case 'stopped':
      return { tone: 'warn', state: 'stopped' };
    case 'resting':
      return { tone: 'idle', state: 'waits as configured' };
    case 'sending':
      return { tone: 'ok', state: 'sending' };
    case 'idle':
      if (lagRecords > 0) return { tone: 'ok', state: 'about to send' };
      return secondsSinceAcknowledged === null
        ? { tone: 'idle', state: 'nothing sent yet' }
        : { tone: 'ok', state: 'all arrived' };
  }
}

/** @param {ForwarderStatus} forwarder */
export function acknowledgedText({ secondsSinceAcknowledged }) {
  if (secondsSinceAcknowledged === null) return 'nothing in this run yet';
  return secondsSinceAcknowledged < 1.5 ? 'just now' : `${durationText(secondsSinceAcknowledged)} ago`;
}

/** @param {ForwarderStatus} forwarder */
function drainText({ drain, lagRecords }) {
  switch (drain.state) {
    case 'no-backlog':
      return lagRecords === 0 ? 'nothing waits' : 'the next flush';
    case 'unknown':
      return 'not known while nothing is acknowledged';
    case 'waits':
      return 'the rules of the link want it to wait first';
    case 'never':
      return 'never at this rate: as much arrives as leaves';
    case 'draining':
      return `about ${durationText(drain.secondsLeft)} at this rate`;
  }
}

/** @param {ForwarderStatus} forwarder @returns {readonly (readonly [string, string])[]} */
function linkRules({ link }) {
  if (link === null) return [];
  const { bytesPerDay, spentBytes, hours } = link;
  return [
    .../** @type {[string, string][]} */ (
      bytesPerDay === null
        ? []
        : [['Link today', `${bytesText(spentBytes ?? 0)} of ${bytesText(bytesPerDay)} used`]]
    ),
    .../** @type {[string, string][]} */ (hours === null ? [] : [['Link hours', hours.join(', ')]]),
  ];
}
