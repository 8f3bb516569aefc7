/* The four numbers at the top. */
import { element, setAttribute, setText } from './dom.js';
import { acknowledgedText, linkView } from './link.js';
import { bytesText, counted, durationText, rateText } from './words.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {{ readonly tone: string, readonly value: string, readonly unit: string, readonly detail: string }} Tile */

/** @param {string} label @param {string} href */
function tile(label, href) {
  const value = element('strong');
  const unit = element('span', { class: 'unit' });
  const detail = element('span', { class: 'detail' });
  const node = element(
    'a',
    { class: 'tile', href },
    element('span', { class: 'label' }, label),
    element('span', { class: 'figure' }, value, ' ', unit),
    detail,
  );
  return {
    node,
    /** @param {Tile} shown */
    update(shown) {
      setAttribute(node, 'class', `tile ${shown.tone}`);
      setText(value, shown.value);
      setText(unit, shown.unit);
      setText(detail, shown.detail);
    },
  };
}

/** What fills the disk, and when it has. @param {PageFrame['status']['log']} log */
export function fillText({ fill }) {
  switch (fill.state) {
    case 'unknown':
      return 'when it is full is told after ten minutes';
    case 'steady':
      return 'not filling up';
    case 'filling':
      return fill.secondsLeft === 0 ? 'full' : `full in about ${durationText(fill.secondsLeft)}`;
  }
}

/** @param {PageFrame['alerts']} alerts @returns {Tile} */
function alertTile(alerts) {
  if (alerts === null)
    return { tone: 'idle', value: 'off', unit: '', detail: 'anomaly detection is switched off' };
  const open = alerts.filter(
    ({ state, shelvedUntilMs }) => state !== 'pending' && state !== 'cleared' && shelvedUntilMs === null,
  );
  const unseen = open.filter(({ acknowledgedMs }) => acknowledgedMs === null).length;
  const isBad = open.some(({ severity, acknowledgedMs }) => severity >= 600 && acknowledgedMs === null);
  return {
    tone: unseen === 0 ? 'ok' : isBad ? 'bad' : 'warn',
    value: String(open.length),
    unit: open.length === 1 ? 'alert' : 'alerts',
    detail:
      open.length === 0
        ? 'no alert is open'
        : unseen === 0
          ? 'all acknowledged'
          : `${unseen} not acknowledged`,
  };
}

/** @param {PageFrame['status']['forwarder']} forwarder @returns {Tile} */
function linkTile(forwarder) {
  const { tone, state } = linkView(forwarder);
  if (forwarder === null) return { tone, value: '–', unit: '', detail: 'no cluster configured' };
  const { lagRecords } = forwarder;
  return {
    tone,
    value: rateText(lagRecords),
    unit: lagRecords === 1 ? 'record waits' : 'records wait',
    detail: `${state} · ${forwarder.secondsSinceAcknowledged === null ? 'nothing acknowledged yet' : `acknowledged ${acknowledgedText(forwarder)}`}`,
  };
}

/** The tiles, and how they follow a frame. */
export function glance() {
  const arrives = tile('Arrives', '#arrives');
  const wrong = tile('Wrong', '#wrong');
  const stored = tile('Stored', '#stored');
  const left = tile('Left', '#left');
  // Whoever listens rather than looks hears of alerts as they come, and of nothing else.
  const told = element('p', { class: 'hidden', role: 'status' });
  const node = element(
    'section',
    { class: 'tiles', 'aria-label': 'At a glance' },
    ...[arrives, wrong, stored, left].map((one) => one.node),
    told,
  );
  return {
    node,
    /** @param {PageFrame} frame @param {number | null} perSecond */
    update({ status, alerts }, perSecond) {
      const isRefusing = status.state !== 'ready';
      arrives.update({
        tone: isRefusing ? 'bad' : perSecond === null || perSecond === 0 ? 'idle' : 'ok',
        value: perSecond === null ? '…' : rateText(perSecond),
        unit: 'records/s',
        detail: isRefusing
          ? 'readings are refused now'
          : counted(status.anomaly?.series ?? 0, 'series', 'series'),
      });
      const shown = alertTile(alerts);
      wrong.update(shown);
      setText(told, `${shown.value} ${shown.unit}, ${shown.detail}`);
      const share = status.log.usedBytes / status.log.budgetBytes;
      stored.update({
        tone: isRefusing ? 'bad' : share > 0.9 ? 'warn' : 'ok',
        value: `${Math.round(100 * share)} %`,
        unit: `of ${bytesText(status.log.budgetBytes)}`,
        detail: fillText(status.log),
      });
      left.update(linkTile(status.forwarder));
    },
  };
}
