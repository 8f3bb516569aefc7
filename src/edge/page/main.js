/* The page: who may see it, and what it shows as it comes. */
import { ask, inWords } from './api.js';
import { arrives } from './arrives.js';
import { clientsCard } from './clients.js';
import { byId, element, setAttribute, setText } from './dom.js';
import { glance } from './glance.js';
import { left } from './left.js';
import { Live } from './live.js';
import { claimView, loginView, takeClaimCode } from './login.js';
import { plotDialog } from './plot.js';
import { RateWindow } from './rates.js';
import { seriesCard } from './series.js';
import { endOf, stored } from './stored.js';
import { sentence } from './troubles.js';
import { durationText, momentText } from './words.js';
import { wrong } from './wrong.js';

/** @typedef {import('../admin/page-frame.ts').PageFrame} PageFrame */
/** @typedef {import('./live.js').LiveState} LiveState */

const retryMilliseconds = 2_000;
const claimCode = takeClaimCode();

/** Everything that is shown of the gateway. */
function dashboard() {
  let nowMs = 0;
  const plot = plotDialog(() => nowMs);
  /** @param {string} name @param {number | null} partition */
  const onPlot = (name, partition) => plot.open(name, partition);
  const top = glance();
  const cards = {
    wrong: wrong(onPlot),
    arrives: arrives(),
    series: seriesCard(onPlot),
    clients: clientsCard(),
    stored: stored(),
    left: left(),
  };
  const sources = new RateWindow();
  const topics = new RateWindow();
  return {
    nodes: [top.node, ...Object.values(cards).map(({ node }) => node), plot.node],
    /** @param {PageFrame} frame */
    update(frame) {
      nowMs = frame.nowMs;
      const { status } = frame;
      sources.add(status.uptimeSeconds, frame.accepted);
      topics.add(
        status.uptimeSeconds,
        Object.fromEntries(status.topics.map((topic) => [topic.name, endOf(topic)])),
      );
      top.update(frame, sources.totalPerSecond());
      cards.wrong.update(frame);
      cards.arrives.update(frame, (name) => sources.perSecond(name));
      cards.series.update(nowMs, status.anomaly !== null);
      cards.clients.update(nowMs);
      cards.stored.update(frame, (topic) => topics.perSecond(topic));
      cards.left.update(frame);
      plot.update();
    },
  };
}

/** @param {PageFrame} frame */
function showHeader({ status }) {
  setText(byId('gateway'), status.gateway);
  if (document.title !== `${status.gateway} – Headwater`) document.title = `${status.gateway} – Headwater`;
  const isReady = status.state === 'ready';
  setText(byId('verdict'), isReady ? 'ready: readings are accepted' : 'DEGRADED: readings are refused');
  setAttribute(byId('verdict'), 'class', isReady ? 'quiet' : 'problem');
  setText(
    byId('about'),
    `Headwater ${status.version}, running for ${durationText(status.uptimeSeconds)}. Times are those of this browser.`,
  );
}

/** @param {LiveState} state @param {string} why @param {number} lastMs */
function showLive(state, why, lastMs) {
  const since = lastMs === 0 ? '' : ` since ${momentText(lastMs, Date.now())}`;
  const texts = {
    live: 'live',
    connecting: 'connecting …',
    stale: lastMs === 0 ? 'no answer; trying again' : `NOT LIVE${since}; trying again`,
    refused: `NOT LIVE${since}: ${why}`,
    closed: 'logged out',
  };
  const isOld = state === 'stale' || state === 'refused';
  setText(byId('live'), texts[state]);
  setAttribute(byId('live'), 'class', `liveness ${isOld ? 'stale' : state}`);
  setAttribute(document.body, 'class', isOld ? 'stale' : '');
}

function showDashboard() {
  const shown = dashboard();
  let lastMs = 0;
  byId('content').replaceChildren(...shown.nodes);
  byId('sections').hidden = false;
  byId('log-out').hidden = false;
  const live = new Live(
    (frame) => {
      lastMs = Date.now();
      showHeader(frame);
      shown.update(frame);
    },
    (state, why) => {
      showLive(state, why, lastMs);
      if (state === 'closed') void begin();
    },
  );
  showLive('connecting', '', 0);
  byId('log-out').onclick = () => {
    live.stop();
    void ask('DELETE', '/api/session')
      .catch(() => undefined)
      .then(begin);
  };
  live.start();
}

/** Asks who is there, and shows what follows from that. */
async function begin() {
  byId('sections').hidden = true;
  byId('log-out').hidden = true;
  const content = byId('content');
  try {
    const { state } = /** @type {{ state: 'unclaimed' | 'closed' | 'open' }} */ (
      await ask('GET', '/api/session')
    );
    setText(byId('live'), '');
    setText(byId('verdict'), '');
    setText(byId('about'), '');
    if (state === 'open') {
      showDashboard();
      return;
    }
    const view = state === 'unclaimed' ? claimView(claimCode, begin) : loginView(begin);
    content.replaceChildren(view);
    [...view.querySelectorAll('input')].find(({ value }) => value === '')?.focus();
  } catch (error) {
    content.replaceChildren(element('p', { class: 'card problem', role: 'alert' }, sentence(inWords(error))));
    setTimeout(() => void begin(), retryMilliseconds);
  }
}

void begin();
