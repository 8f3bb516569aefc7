/* The first visit, and every later one without a login. */
import { ask, inWords, Refused } from './api.js';
import { element, setText } from './dom.js';
import { durationText } from './words.js';

/** The code of an address such as `/#claim=CODE`, which then no longer stands in the address bar; null without one. */
export function takeClaimCode() {
  const match = /^#claim=([^&]+)$/.exec(location.hash);
  if (match === null) return null;
  history.replaceState(null, '', location.pathname);
  return decodeURIComponent(match[1] ?? '');
}

/**
 * A form that lets somebody in.
 * @param {object} options
 * @param {string} options.title
 * @param {string} options.explanation
 * @param {readonly HTMLElement[]} options.fields
 * @param {string} options.button
 * @param {() => Promise<unknown>} options.send
 * @param {() => void} options.onOpen
 */
function form({ title, explanation, fields, button, send, onOpen }) {
  const problem = element('p', { class: 'problem', role: 'alert' });
  const submit = element('button', { type: 'submit', class: 'main' }, button);
  const made = element(
    'form',
    { class: 'card login', 'aria-labelledby': 'login-title' },
    element('h2', { id: 'login-title' }, title),
    element('p', { class: 'quiet' }, explanation),
    ...fields,
    problem,
    submit,
  );
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    submit.disabled = true;
    setText(problem, '');
    void send()
      .then(onOpen, (error) => setText(problem, problemText(error)))
      .finally(() => {
        submit.disabled = false;
      });
  });
  return made;
}

/** @param {unknown} error */
function problemText(error) {
  const text = inWords(error);
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  if (!(error instanceof Refused) || error.retrySeconds === null) return `${begun}.`.replace(/\.\.$/, '.');
  return `${begun} (try again in ${durationText(error.retrySeconds)})`;
}

/** @param {string} label @param {Readonly<Record<string, string | boolean | null>>} attributes */
function field(label, attributes) {
  const input = element('input', { required: true, ...attributes });
  return { input, label: element('label', {}, label, input) };
}

/** @param {string | null} code @param {() => void} onOpen */
export function claimView(code, onOpen) {
  const codeField = field('One-time code', {
    name: 'code',
    autocomplete: 'off',
    autocapitalize: 'characters',
    spellcheck: 'false',
  });
  codeField.input.value = code ?? '';
  const password = field('New password', {
    name: 'password',
    type: 'password',
    autocomplete: 'new-password',
  });
  const again = field('The same again', { name: 'again', type: 'password', autocomplete: 'new-password' });
  return form({
    title: 'Claim this gateway',
    explanation:
      'Nobody has set a password yet. The gateway prints a one-time code when it starts; it is also in the file claim-code of its data folder.',
    fields: [codeField.label, password.label, again.label],
    button: 'Claim',
    send: async () => {
      if (password.input.value !== again.input.value)
        throw new Refused(400, 'the two passwords differ', null);
      await ask('POST', '/api/claim', { code: codeField.input.value.trim(), password: password.input.value });
    },
    onOpen,
  });
}

/** @param {() => void} onOpen */
export function loginView(onOpen) {
  const password = field('Password', {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
  });
  return form({
    title: 'Log in',
    explanation:
      'The password of this gateway, as it was set when it was claimed. If nobody knows it any more: “headwater admin passwd” on the gateway sets another one.',
    fields: [password.label],
    button: 'Log in',
    send: () => ask('POST', '/api/session', { password: password.input.value }),
    onOpen,
  });
}
