/* The ports, buses and brokers from which readings come, one row each. Pure. */
import { agoText, counted, durationText } from './words.js';

/** @typedef {import('../status.ts').StatusReport} StatusReport */

/**
 * @typedef {object} Device
 * @property {string} key
 * @property {string} kind
 * @property {string} name
 * @property {string} place
 * @property {'ok' | 'idle' | 'warn'} tone
 * @property {string} state
 * @property {string} detail
 */

/** @param {StatusReport} status @param {number} nowMs @returns {readonly Device[]} */
export function devices(status, nowMs) {
  return [
    ...listeners(status),
    ...status.serial.map((port) => serialPort(port, nowMs)),
    ...status.modbus.flatMap((bus) => modbusBus(bus, nowMs)),
    ...status.mqtt.sources.map((source) => broker(source, nowMs)),
  ];
}

const listenerNames = /** @type {const} */ ({
  mqtt: 'MQTT',
  mqtts: 'MQTT by TLS',
  ws: 'MQTT by WebSocket',
  wss: 'MQTT by WebSocket, TLS',
});

/** @param {StatusReport} status @returns {readonly Device[]} */
function listeners({ addresses, mqtt }) {
  return /** @type {(keyof typeof listenerNames)[]} */ (Object.keys(listenerNames)).flatMap((kind) => {
    const address = addresses[kind];
    if (address === null || address === undefined) return [];
    return [
      {
        key: `listener/${kind}`,
        kind: 'listens',
        name: listenerNames[kind],
        place: address,
        tone: /** @type {const} */ ('ok'),
        state: 'listening',
        detail: `${counted(mqtt.sessions, 'lasting session')}, ${counted(mqtt.retained, 'retained message')}`,
      },
    ];
  });
}

/** @param {number | null} ms @param {number} nowMs @param {string} what */
const last = (ms, nowMs, what) => (ms === null ? `no ${what} yet` : `last ${what} ${agoText(ms, nowMs)}`);

/** @param {StatusReport['serial'][number]} port @param {number} nowMs @returns {Device} */
function serialPort(
  { name, wanted, device, state, frames, deadLetters, dropped, lastFrameMs, lastError },
  nowMs,
) {
  const tones = /** @type {const} */ ({ open: 'ok', opening: 'idle', stalled: 'warn', lost: 'warn' });
  const words = { open: 'open', opening: 'opening', stalled: 'open, but silent', lost: 'gone' };
  return {
    key: `serial/${name}`,
    kind: 'serial port',
    name,
    place: device ?? wanted,
    tone: tones[state],
    state: words[state],
    detail: [
      counted(frames, 'frame'),
      last(lastFrameMs, nowMs, 'frame'),
      ...(deadLetters === 0 ? [] : [counted(deadLetters, 'dead letter')]),
      ...(dropped === 0 ? [] : [`${counted(dropped, 'record')} dropped`]),
      ...(lastError === null || state === 'open' ? [] : [lastError.message]),
    ].join(' · '),
  };
}

/** @param {StatusReport['modbus'][number]} bus @param {number} nowMs @returns {readonly Device[]} */
function modbusBus({ name, place, device, state, requests, lastError, units }, nowMs) {
  const tones = /** @type {const} */ ({ open: 'ok', opening: 'idle', lost: 'warn' });
  const unitTones = /** @type {const} */ ({ new: 'idle', answering: 'ok', silent: 'warn' });
  const unitWords = { new: 'not asked yet', answering: 'answers', silent: 'silent' };
  return [
    {
      key: `modbus/${name}`,
      kind: 'Modbus bus',
      name,
      place: device ?? place,
      tone: tones[state],
      state: state === 'lost' ? 'gone' : state,
      detail: [counted(requests, 'request'), ...(lastError === null ? [] : [lastError.message])].join(' · '),
    },
    ...units.map((unit) => ({
      key: `modbus/${name}/${unit.name}`,
      kind: 'Modbus unit',
      name: unit.name,
      place: `${name}, unit ${unit.unit}`,
      tone: unitTones[unit.state],
      state: unitWords[unit.state],
      detail: [
        counted(unit.records, 'record'),
        last(unit.lastRecordMs, nowMs, 'record'),
        ...unit.failing.map(({ register, words }) => `${register}: ${words}`),
      ].join(' · '),
    })),
  ];
}

/** @param {StatusReport['mqtt']['sources'][number]} source @param {number} nowMs @returns {Device} */
function broker(
  { name, url, state, messages, unanswered, lagSeconds, refusedTopics, lastMessageMs, lastError },
  nowMs,
) {
  const tones = /** @type {const} */ ({ connected: 'ok', connecting: 'idle', lost: 'warn' });
  return {
    key: `broker/${name}`,
    kind: 'broker',
    name,
    place: url,
    tone: tones[state],
    state: state === 'connected' ? 'subscribed' : state === 'lost' ? 'gone' : 'connecting',
    detail: [
      counted(messages, 'message'),
      last(lastMessageMs, nowMs, 'message'),
      ...(unanswered === 0
        ? []
        : [`${unanswered} not acknowledged, the oldest for ${durationText(lagSeconds)}`]),
      ...(refusedTopics.length === 0 ? [] : [`refused: ${refusedTopics.join(' ')}`]),
      ...(lastError === null || state === 'connected' ? [] : [lastError.message]),
    ].join(' · '),
  };
}
