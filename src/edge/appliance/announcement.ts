import { limits } from '../../core/limits.ts';

/** What a person in front of the device, or with its card in another computer, wants to know. */
export interface ApplianceFacts {
  readonly version: string;
  readonly hostName: string;
  /** IP addresses beyond loopback. */
  readonly addresses: readonly string[];
  /** The port of the page; null while the gateway has not started, or listens on loopback only. */
  readonly adminPort: number | null;
  readonly isHttps: boolean;
  /** SHA-256 of the certificate of the page. */
  readonly fingerprint: string | null;
  /** What sets the first password of the page; null once there is one, or before the gateway has started. */
  readonly claimCode: string | null;
  readonly isClaimed: boolean;
  readonly isClockSet: boolean;
  /** What is wrong with the boot file; empty if all of it was imported. */
  readonly importErrors: readonly string[];
  /** What else went wrong at this boot. */
  readonly problems: readonly string[];
  /** Settings of ports that wait for users. */
  readonly closed: readonly string[];
  /** Names of settings of earlier boot files that the one on the card does not name. */
  readonly stillCounting: readonly string[];
}

/** The lines that both the screen and the file have. Pure. */
function lines(facts: ApplianceFacts): readonly string[] {
  const { hostName, addresses, version, closed } = facts;
  return [
    `Headwater ${version} on ${hostName}`,
    '',
    `name         ${hostName}.local`,
    `addresses    ${addresses.length === 0 ? 'none yet: no cable, and no Wi-Fi joined' : addresses.join(', ')}`,
    ...pageLines(facts),
    `clock        ${facts.isClockSet ? 'set by a time server' : 'not set by a time server yet'}`,
    ...(closed.length === 0
      ? []
      : [
          `MQTT         on this device only until there are users: write appliance.mqttUsers into headwater.yaml`,
        ]),
  ];
}

function pageLines(facts: ApplianceFacts): readonly string[] {
  const { adminPort, isHttps, hostName, addresses, claimCode, fingerprint } = facts;
  if (adminPort === null)
    return ['page         not there: the gateway has not started, or listens on this device only'];
  const scheme = isHttps ? 'https' : 'http';
  const urls = [`${hostName}.local`, ...addresses].map(
    (host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${adminPort}/`,
  );
  const [first = '', ...others] = urls.slice(0, 3);
  const page = [`page         ${first}`, ...others.map((url) => `             ${url}`)];
  if (claimCode === null)
    return [...page, ...(facts.isClaimed ? [] : ['claim code   made when the gateway has started'])];
  return [
    ...page,
    `claim code   ${claimCode}   (sets the password of the page, once)`,
    ...(fingerprint === null
      ? []
      : ['certificate  SHA-256, which the browser has to show as well:', ...halves(fingerprint)]),
  ];
}

/** A fingerprint in two lines, as it fits on a screen of 80 columns. */
function halves(fingerprint: string): readonly string[] {
  const half = Math.ceil(fingerprint.length / 2 / 3) * 3;
  return [fingerprint.slice(0, half), fingerprint.slice(half)].map((part) => `             ${part}`);
}

/** What getty shows above the login: `\` begins an escape there. With the time, since a screen does not wear out. */
export function screenText(facts: ApplianceFacts, now: string): string {
  const errors = [...facts.importErrors, ...facts.problems];
  const shown = errors.slice(0, limits.screenErrorsMax);
  const more = errors.length - shown.length;
  return [
    '',
    ...lines(facts),
    `time         ${now}`,
    ...(errors.length === 0 ? [] : ['', 'ERRORS']),
    ...(facts.importErrors.length === 0 ? [] : ['headwater.yaml was not imported:']),
    ...shown.map((error) => `  ${error}`),
    ...(more > 0 ? [`  and ${more} more: see headwater-errors.txt on the boot partition`] : []),
    '',
    '',
  ]
    .map((line) => printable(line).replaceAll('\\', '\\\\'))
    .join('\n');
}

/** The file on the boot partition: it says nothing that changes without a reason, so that it is seldom written. */
export function statusText(facts: ApplianceFacts): string {
  const { problems, importErrors, stillCounting } = facts;
  return forEditors([
    ...lines(facts),
    '',
    importErrors.length === 0
      ? 'headwater.yaml: nothing waits to be imported.'
      : 'headwater.yaml: NOT imported; headwater-errors.txt says why.',
    ...(stillCounting.length === 0
      ? []
      : [
          'Settings of earlier files that count, and that headwater.yaml does not name now (write "default" as the value of one',
          'to take it back):',
          ...stillCounting.map((name) => `  ${name}`),
        ]),
    ...(problems.length === 0
      ? []
      : ['', 'What went wrong at this start:', ...problems.map((one) => `  ${one}`)]),
  ]);
}

/** The errors of the boot file, as a file beside it. */
export const errorsText = (importErrors: readonly string[]): string =>
  forEditors([
    'headwater.yaml was not imported. Why, and where there is something to correct by line and column:',
    '',
    ...importErrors,
    '',
    'Then put the card back and start the device again. This file goes away by itself.',
  ]);

/** With the line ends that every editor of every computer shows. */
const forEditors = (text: readonly string[]): string => `${text.map(printable).join('\r\n')}\r\n`;

/** No text can move the cursor or begin a line. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
