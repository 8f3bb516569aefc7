import { limits } from '../../core/limits.ts';
import { isLegalTopicName } from '../../core/topic-name.ts';
import { checkpointTopicName, templateWords } from '../../forwarder/cluster/topic-mapping.ts';
import { type HourSpan, parseSpan } from '../../forwarder/lanes/link-hours.ts';
import { isLegalFilter, isReserved } from '../../ingest/mqtt/topic-access.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { read, text } from './setting-kinds.ts';

// Names and places: texts that are read as something, by the same rules wherever they stand.

/** Where a broker is. */
export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** As a URL, with its port and without secrets. */
  readonly text: string;
}

/** A span of each day, in local time. */
export function hourSpan() {
  const what = "a span of local time such as '22:00-06:00', with hours from 00 to 23, or 24:00 at its end";
  return read(
    text(what, (value) => parseSpan(value) !== undefined),
    (value): HourSpan | Problem => parseSpan(value) ?? { problem: `write ${what}` },
  );
}

/** What a text cannot be read for, in words. */
interface Problem {
  readonly problem: string;
}

/** The name of a host in a certificate. */
export function hostName() {
  return text('the name of a host, such as kafka.example.com', /^[a-zA-Z0-9._-]{1,253}$/);
}

/** Who logs in by SASL. */
export function saslUser() {
  return text('the name of a user', (value) => value !== '' && !value.includes('\0'));
}

/** The name of a gateway, which begins the names of its topics in the central cluster. */
export function gatewayName() {
  return shortName(limits.gatewayNameLengthMax);
}

/** The name of a serial port, or of a broker. */
export function portName() {
  return shortName(limits.serialPortNameLengthMax);
}

function shortName(lengthMax: number) {
  const what = `1 to ${lengthMax} letters, digits, ".", "_" or "-"`;
  return text(what, (value) => isLegalTopicName(value) && value.length <= lengthMax, nameShape(lengthMax));
}

/** What legal names look like to an editor. */
const nameShape = (lengthMax: number): RegExp => new RegExp(`^[a-zA-Z0-9._-]{1,${lengthMax}}$`);

/** Where an MQTT broker is. */
export function brokerUrl() {
  const what =
    'mqtt://host:port, or mqtts://host:port for TLS, without user and password (they are username and passwordFile)';
  return read(
    text(what, (value) => parseBrokerUrl(value) !== undefined, /^mqtts?:\/\/[^/?#@]+\/?$/),
    (value): BrokerUrl | Problem => parseBrokerUrl(value) ?? { problem: `write ${what}` },
  );
}

function parseBrokerUrl(url: string): BrokerUrl | undefined {
  const match = /^(mqtts?):\/\/([^/?#@]+)\/?$/.exec(url);
  if (match === null) return undefined;
  const [, scheme, where = ''] = match;
  const isTls = scheme === 'mqtts';
  // The ports that IANA has given to MQTT without and with TLS.
  const address = parseAddress(where) ?? parseAddress(`${where}:${isTls ? 8883 : 1883}`);
  if (address === undefined || address.port === 0) return undefined;
  return { ...address, isTls, text: `${scheme}://${formatAddress(address)}` };
}

/** A topic filter of MQTT. */
export function sourceFilter() {
  const what = `an MQTT topic of at most ${limits.topicPatternBytesMax} bytes, with + for one level or # at its end for all below`;
  return text(what, isLegalFilter).refine((filter) => !isReserved(`${filter}/`), {
    error: () => 'choose another topic; what is below $SYS and $headwater is no reading',
  });
}

/** A client id of MQTT. */
export function mqttClientId() {
  const what = `1 to ${limits.mqttClientIdBytesMax} characters as an MQTT client id`;
  return text(what, (value) => /^[\x20-\x7e]+$/.test(value) && value.length <= limits.mqttClientIdBytesMax);
}

/** The name of a topic, but none that Headwater keeps for itself. */
export function topicName() {
  const lengthMax = limits.topicNameLengthMax;
  const what = `1 to ${lengthMax} letters, digits, ".", "_" or "-" as a topic name`;
  return text(what, isLegalTopicName, nameShape(lengthMax)).refine((name) => name !== checkpointTopicName, {
    error: () => 'choose another topic name; Headwater keeps this one for itself',
  });
}

/** A topic name, or `*` for all topics. */
export function topicChoice() {
  const what =
    'a topic name, in which * stands for any characters (in quotes), or one with ! before it to leave it out';
  return text(
    what,
    (pattern) => {
      const name = pattern.replace(/^!/, '');
      return isLegalTopicName(name.replaceAll('*', 'x')) && name !== checkpointTopicName;
    },
    /^!?[a-zA-Z0-9._*-]+$/,
  );
}

/** What a topic is called in the cluster. */
export function topicTemplate() {
  const what =
    "a name with {topic} in it once, and perhaps {gateway} and {site}, in quotes, such as '{site}.{gateway}.{topic}'";
  return text(
    what,
    (template) => {
      const words = template.match(/\{[^}]*\}/g) ?? [];
      const isKnown = words.every((word) => templateWords.some((known) => known === word));
      const isOnce = words.filter((word) => word === '{topic}').length === 1;
      return isKnown && isOnce && isLegalTopicName(template.replaceAll(/\{[^}]*\}/g, 'x'));
    },
    /\{topic\}/,
  );
}

/** What an address looks like to an editor. */
const addressShape = /^(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+):[0-9]{1,5}$/;

function address(what: string, refusal: (address: Address) => string | undefined) {
  return read(
    text(what, (value) => parseAddress(value) !== undefined, addressShape),
    (value): Address | Problem => {
      const parsed = parseAddress(value);
      if (parsed === undefined) return { problem: `write ${what}` };
      const problem = refusal(parsed);
      return problem === undefined ? parsed : { problem };
    },
  );
}

/** Where to listen. */
export function listenAddress(example: string) {
  return address(`host:port, such as ${example} (port 0: any free one)`, () => undefined);
}

/** The same, or nowhere. */
export function listenAddressOrOff(example: string) {
  const what = `host:port, such as ${example} (port 0: any free one), or off`;
  const isLegal = (value: string): boolean => value === 'off' || parseAddress(value) !== undefined;
  const shape = new RegExp(`^off$|${addressShape.source}`);
  return read(text(what, isLegal, shape), (value): Address | 'off' | Problem =>
    value === 'off' ? value : (parseAddress(value) ?? { problem: `write ${what}` }),
  );
}

/** Where a broker of the central cluster answers. */
export function brokerAddress() {
  return address('host:port, such as kafka1:9092', ({ port }) =>
    port === 0 ? 'write the port of the broker, such as 9092' : undefined,
  );
}

/** Where a device answers. */
export function deviceAddress(example: string) {
  return address(`host:port, such as ${example}`, ({ port }) =>
    port === 0 ? 'write the port of the device, such as 502' : undefined,
  );
}
