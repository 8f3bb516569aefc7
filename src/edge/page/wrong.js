/* What is wrong, and what only has to be known. */
import { alertList } from './alerts.js';
import { badge, card, element, Rows, setBadge, setText } from './dom.js';
import { deadLetter, gap, letters } from './letters.js';
import { troubles } from './troubles.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {import('./troubles.js').Trouble} Trouble */

const toneWords = { bad: 'wrong', warn: 'look at it', idle: 'note' };

/** @returns {import('./dom.js').Row<Trouble>} */
function troubleRow() {
  const tone = badge();
  const what = element('strong');
  const text = element('p', { class: 'message' });
  return {
    node: element('li', {}, element('div', { class: 'line' }, tone, what), text),
    update(trouble) {
      setBadge(tone, trouble.tone, toneWords[trouble.tone]);
      setText(what, trouble.what);
      setText(text, trouble.text);
    },
  };
}

/** The card, and how it follows frames. @param {(name: string, partition: number | null) => void} onPlot */
export function wrong(onPlot) {
  let nowMs = 0;
  const nothing = element('p', { class: 'fine' }, 'Nothing is wrong.');
  const list = element('ul', { class: 'troubles', 'aria-label': 'Troubles' });
  /** @type {Rows<Trouble>} */
  const rows = new Rows(list, ({ what, text }) => `${what}/${text.slice(0, 40)}`, troubleRow);
  const alerts = alertList(() => nowMs, onPlot);
  const deadLetters = letters({
    topic: 'dead-letters',
    title: 'Dead letters: input that could not be read',
    show: deadLetter,
  });
  const gaps = letters({
    topic: 'gaps',
    title: 'Gaps: records that are gone, or may be there twice',
    show: gap,
  });
  return {
    node: card('What is wrong', 'wrong', nothing, list, alerts.node, gaps.node, deadLetters.node),
    /** @param {PageFrame} frame */
    update(frame) {
      nowMs = frame.nowMs;
      const found = troubles(frame.status, nowMs);
      rows.show(found);
      nothing.hidden = found.some(({ tone }) => tone !== 'idle') || (frame.alerts?.length ?? 0) > 0;
      alerts.update(frame.alerts, frame.status.anomaly?.heldBack ?? 0);
      deadLetters.update(frame);
      gaps.update(frame);
    },
  };
}
