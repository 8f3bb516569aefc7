/* What a person should know of, from the status, in words. Pure. */
import { agoText, counted, durationText } from './words.js';

/** @typedef {import('../status.ts').StatusReport} StatusReport */
/** @typedef {{ readonly tone: 'bad' | 'warn' | 'idle', readonly what: string, readonly text: string }} Trouble */

/** The worst first: what refuses readings, what needs somebody, what is only to be known. @param {StatusReport} status @param {number} nowMs @returns {readonly Trouble[]} */
export function troubles(status, nowMs) {
  const found = [
    ...status.reasons.map((text) => bad('Readings are refused', text)),
    ...(status.users.problem === null ? [] : [bad('Nobody can log in by MQTT', status.users.problem)]),
    ...(status.tls?.problems ?? []).map((text) => warn('Certificate', text)),
    ...(status.clock.isSet
      ? []
      : [
          warn(
            'The clock is not set',
            'Stamps are wrong until a time server answers; then they are corrected. Nothing is lost by it.',
          ),
        ]),
    ...portTroubles(status, nowMs),
    ...linkTroubles(status),
    ...status.mqtt.unrouted.map(({ mqttTopic, messages }) =>
      note(
        'No route',
        `${counted(messages, 'message')} of ${mqttTopic} went to the topic readings: no route stands for it.`,
      ),
    ),
  ];
  const order = { bad: 0, warn: 1, idle: 2 };
  return found.sort((one, other) => order[one.tone] - order[other.tone]);
}

/** @param {StatusReport} status @param {number} nowMs @returns {readonly Trouble[]} */
function portTroubles({ serial, modbus, mqtt }, nowMs) {
  /** @param {{ readonly message: string, readonly atMs: number } | null} error */
  const because = (error) =>
    error === null ? '' : ` ${sentence(error.message)} (${agoText(error.atMs, nowMs)})`;
  return [
    ...serial
      .filter(({ state }) => state === 'lost' || state === 'stalled')
      .map(({ name, state, lastError }) =>
        warn(
          `Serial port ${name}`,
          state === 'lost'
            ? `It is gone, and tried again and again.${because(lastError)}`
            : 'It is open, but nothing has come for too long.',
        ),
      ),
    ...modbus.flatMap(({ name, state, lastError, units }) => [
      ...(state === 'lost'
        ? [warn(`Modbus bus ${name}`, `It is gone, and tried again and again.${because(lastError)}`)]
        : []),
      ...units
        .filter((unit) => unit.state === 'silent')
        .map((unit) => warn(`Modbus unit ${unit.name}`, `It does not answer on the bus ${name}.`)),
    ]),
    ...mqtt.sources
      .filter(({ state }) => state === 'lost')
      .map(({ name, lastError }) =>
        warn(`Broker ${name}`, `It is not connected, and tried again and again.${because(lastError)}`),
      ),
  ];
}

/** Being offline is no fault: it is told so that nobody has to wonder. @param {StatusReport} status @returns {readonly Trouble[]} */
function linkTroubles({ forwarder }) {
  if (forwarder === null) return [];
  const { isStale, secondsSinceAcknowledged, warnings } = forwarder;
  const since =
    secondsSinceAcknowledged === null ? 'in this run' : `for ${durationText(secondsSinceAcknowledged)}`;
  return [
    ...(isStale
      ? [
          warn(
            'Nothing arrives in the cluster',
            `Nothing was acknowledged ${since}. Readings are stored meanwhile and sent later. ${sentence(forwarder.message)}`,
          ),
        ]
      : []),
    ...warnings.map((text) => note('To be known', sentence(text))),
  ];
}

/** @param {string} what @param {string} text @returns {Trouble} */
const bad = (what, text) => ({ tone: 'bad', what, text: sentence(text) });
/** @param {string} what @param {string} text @returns {Trouble} */
const warn = (what, text) => ({ tone: 'warn', what, text });
/** @param {string} what @param {string} text @returns {Trouble} */
const note = (what, text) => ({ tone: 'idle', what, text });

/** With a capital at the beginning and a full stop. @param {string} text */
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
