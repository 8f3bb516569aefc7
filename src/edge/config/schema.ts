import { limits } from '../../core/limits.ts';
import { isLegalTopicName } from '../../core/topic-name.ts';
import { defaultTopicTemplate, TopicMapping } from '../../forwarder/cluster/topic-mapping.ts';
import type { HourSpan } from '../../forwarder/lanes/link-hours.ts';
import type { MqttLimits } from '../../ingest/mqtt/mqtt-limits.ts';
import {
  type Compression,
  compressions,
  type LaneName,
  laneNames,
  type TopicSettings,
} from '../../log/types.ts';
import { settingsContradiction } from '../topic-settings.ts';
import { type Address, formatAddress } from './address.ts';
import { type AdminConfig, adminSection } from './admin-section.ts';
import { type AnomalyConfig, anomalySection } from './anomaly-section.ts';
import { type SaslConfig, saslConfig, saslSection, type TlsConfig, tlsSection } from './cluster-sections.ts';
import {
  type BusSection,
  busOf,
  checkBesideSerial,
  type ModbusBusConfig,
  modbusList,
} from './modbus-section.ts';
import { mqttLimitsOf, mqttLimitsSection } from './mqtt-limits-section.ts';
import {
  configuredListeners,
  type MqttAddresses,
  mqttTlsSection,
  webSocketSection,
} from './mqtt-sections.ts';
import {
  brokerAddress,
  gatewayName,
  hourSpan,
  listenAddressOrOff,
  topicChoice,
  topicName,
  topicTemplate,
} from './name-kinds.ts';
import { type RouteConfig, routeList, routeOf } from './route-section.ts';
import { type SerialPortConfig, serialList } from './serial-section.ts';
import {
  type CheckContext,
  choice,
  duration,
  folder,
  list,
  retention,
  type SettingIssue,
  section,
  shapeOf,
  size,
  topicTable,
  wholeNumber,
  yesOrNo,
} from './setting-kinds.ts';
import { problemsOf, type SettingProblem, withoutProblems } from './setting-problems.ts';
import { pathsOf, type Shape } from './setting-shape.ts';
import { type MqttSourceConfig, sourceList } from './source-section.ts';
import type { SettingPath } from './yaml-tree.ts';

/** The data folder where none is configured. */
export const defaultDataDir = './data';

const forwarderSection = () =>
  section({
    /** Where to ask for the central cluster. With none, everything is stored and nothing is sent. */
    brokers: list(brokerAddress(), 'host:port, such as [kafka1:9092]', limits.brokersMax).default([]),
    /** How long a record may wait for others to share its transaction. */
    lingerMs: wholeNumber(0, limits.lingerMsMax, 'milliseconds').default(1000),
    /** After a start of the machine, how long records wait for the clock to be set, so that they arrive with the right time. */
    waitForClock: duration(0, limits.waitForClockMsMax).default(120_000),
    /** How much of records may leave a second on the average, for links that others need as well. */
    bytesPerSecond: size(limits.linkBytesPerSecondMin, limits.linkBytesPerSecondMax).optional(),
    /** How many bytes the lane bulk may cause on the link in a calendar day, for links that cost by what they carry. */
    bytesPerDay: size(limits.linkBytesPerDayMin, limits.linkBytesPerDayMax).optional(),
    /** When the lane bulk may send, for links that cost by the hour or belong to others by day. */
    hours: list(hourSpan(), "spans of local time, such as ['22:00-06:00']", limits.linkHourSpansMax)
      .min(1, { error: () => 'write one span of local time at least, or remove it to send at any time' })
      .optional(),
    /** The topics to send: names, `*` for all, patterns, and with `!` what to leave out. */
    topics: list(topicChoice(), "topic names, or ['*'] for all", limits.partitionsMax).default(['*']),
    /** What topics are called in the cluster. */
    topicName: topicTemplate().default(defaultTopicTemplate),
    /** How topics that are missing there are made; what is left out is the cluster's own default. */
    create: section({
      allowed: yesOrNo().default(true),
      replication: wholeNumber(1, limits.centralReplicationMax, 'replicas').optional(),
      retention: duration(1, limits.retentionAgeMsMax).optional(),
    }),
    /** Exactly once takes transactions in the cluster, and the right to use them. */
    delivery: choice(['exactly-once', 'at-least-once']).default('exactly-once'),
    /** When the cluster no longer knows what it had confirmed, or is another one. */
    onCheckpointLost: choice(['resume', 'resend', 'stop']).default('resume'),
    tls: tlsSection().optional(),
    sasl: saslSection().optional(),
  });

/** What the whole product may be told: one row for each setting. A setting without an effect does not exist. */
const settingsFor = (hostName: string) =>
  section({
    gateway: section({
      /** Part of the names of the topics in the central cluster. */
      name: gatewayName().default(gatewayNameFrom(hostName)),
      /** Where it stands, for central topics that say so. */
      site: gatewayName().optional(),
    }),
    data: section({
      /** The data folder; a relative path starts at the working directory. */
      dir: folder().default(defaultDataDir),
      /** What the data folder may take on the disk, everything in it included. */
      budget: size(limits.budgetBytesMin, limits.storedBytesMax).optional(),
      /** What the card is rated to have written to it in its life; without it a cautious estimate counts. */
      endurance: size(limits.enduranceBytesMin, limits.storedBytesMax).optional(),
      /** Commits start at least so far apart. 0 commits as fast as the disk can. */
      commitIntervalMs: wholeNumber(0, limits.commitIntervalMsMax, 'milliseconds').default(20),
    }),
    mqtt: section({
      /** Beyond loopback once there are users, or with `anonymous: true`; that is looked at when a gateway starts. */
      listen: listenAddressOrOff('127.0.0.1:1883').prefault('127.0.0.1:1883'),
      /** Whether clients without a user are let in; without it, those of this machine while there are no users. */
      anonymous: yesOrNo().optional(),
      tls: mqttTlsSection().optional(),
      /** MQTT over WebSocket, and the same by TLS with the certificate of `tls`. */
      ws: webSocketSection('127.0.0.1:8083').optional(),
      wss: webSocketSection('127.0.0.1:8084').optional(),
      limits: mqttLimitsSection(),
      /** Where messages go by their MQTT topics; what none stands for goes to `readings`, by its MQTT topic. */
      routes: routeList().default([]),
      /** Brokers to subscribe to. */
      sources: sourceList(),
    }),
    /** Ports to read frames from. */
    serial: serialList(),
    /** Units of buses to read registers from. */
    modbus: modbusList(),
    admin: adminSection(),
    /** Topics that exist from the start; others are created when they are needed. */
    topics: topicTable(topicName(), {
      partitions: wholeNumber(1, limits.partitionsPerTopicMax, 'partitions').default(1),
      /** When records may go before the disk budget needs their room. */
      retention: retention().optional(),
      /** Whether retention also removes what was not sent yet. */
      dropUnforwarded: yesOrNo().optional(),
      /** The size of a segment. */
      segment: size(limits.segmentBytesMin, limits.segmentBytesMax).optional(),
      compression: choice(compressions).optional(),
      /** Under a full disk budget, topics of a lower one lose records first. */
      priority: wholeNumber(0, limits.topicPriorityMax).optional(),
      /** Which way its records go to the cluster. */
      lane: choice(laneNames).optional(),
      /** So many partitions in the cluster, of which the key decides; without it those of here. */
      centralPartitions: wholeNumber(1, limits.centralPartitionsMax, 'partitions').optional(),
    }),
    anomaly: anomalySection(),
    forwarder: forwarderSection(),
    log: section({
      level: choice(['debug', 'info', 'warn', 'error']).default('info'),
    }),
  }).superRefine(checkTogether);

/** What no setting can see alone. */
function checkTogether(all: CheckedAlone, context: CheckContext): void {
  const { mqtt, serial, modbus, admin, gateway, topics, forwarder } = all;
  if (forwarder.topicName.includes('{site}') && gateway.site === undefined) {
    const message = 'write where the gateway stands: forwarder.topicName has {site} in it';
    context.addIssue({ code: 'custom', path: ['gateway', 'site'], message, input: all });
  }
  const { name, site } = gateway;
  const mapping = new TopicMapping({ gateway: name, site, template: forwarder.topicName, topics: [] });
  checkAddresses(mqtt, admin, context);
  checkBesideSerial(serial, modbus, context);
  for (const [topic, settings] of Object.entries(topics)) {
    const message = settingsContradiction(topicConfig(settings).settings);
    if (message !== undefined)
      context.addIssue({ code: 'custom', path: ['topics', topic, 'dropUnforwarded'], message, input: all });
    if (mapping.centralTopic(topic).length > limits.topicNameLengthMax) {
      const message = `choose a shorter topic name: as the cluster knows it, with the name of the gateway, it is longer than ${limits.topicNameLengthMax} characters`;
      context.addIssue({ code: 'custom', path: ['topics', topic], message, input: all });
    }
  }
}

/** No two listeners at one address. */
function checkAddresses(mqtt: MqttAddresses, admin: Config['admin'], context: CheckContext): void {
  const listeners = [...configuredListeners(mqtt), { setting: 'admin.listen', listen: admin.listen }];
  const taken = new Map<string, string>();
  for (const { setting, listen } of listeners) {
    // What is no address is told by its own setting.
    if (typeof listen.host !== 'string') continue;
    const address = formatAddress(listen);
    const first = taken.get(address);
    if (first === undefined || listen.port === 0) taken.set(address, setting);
    else {
      const message = `write another port than that of ${first}`;
      context.addIssue({ code: 'custom', path: setting.split('.'), message, input: mqtt });
    }
  }
}

interface TopicSection {
  readonly partitions: number;
  readonly retention?:
    | 'until-forwarded'
    | { readonly bytes?: number | undefined; readonly age?: number | undefined }
    | undefined;
  readonly dropUnforwarded?: boolean | undefined;
  readonly segment?: number | undefined;
  readonly compression?: Compression | undefined;
  readonly priority?: number | undefined;
  readonly lane?: LaneName | undefined;
  readonly centralPartitions?: number | undefined;
}

type CheckedAlone = Pick<Config, 'serial' | 'admin' | 'gateway'> & {
  readonly modbus: readonly BusSection[];
  readonly mqtt: MqttAddresses;
  readonly forwarder: Pick<Config['forwarder'], 'topicName'>;
  readonly topics: Readonly<Record<string, TopicSection>>;
};

function topicConfig({ partitions, retention: kept, segment, ...rest }: TopicSection): TopicConfig {
  const settings = { retention: retentionSetting(kept), segmentBytes: segment, ...rest };
  return { partitions, settings: withGiven(settings) };
}

function retentionSetting(kept: TopicSection['retention']): TopicSettings['retention'] {
  if (typeof kept !== 'object') return kept;
  const bounds = withGiven({ bytes: kept.bytes, ageMs: kept.age });
  return Object.keys(bounds).length === 0 ? undefined : bounds;
}

type Given<Settings> = { [Name in keyof Settings]?: Exclude<Settings[Name], undefined> };

const withGiven = <Settings extends object>(settings: Settings): Given<Settings> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Given<Settings>;

/** All settings, with their defaults filled in. */
export interface Config {
  readonly gateway: { readonly name: string; readonly site?: string | undefined };
  readonly data: {
    readonly dir: string;
    /** Bytes; undefined for half of what is free at the first start, see {@link defaultBudgetBytes}. */
    readonly budget: number | undefined;
    /** Bytes; undefined for `limits.enduranceBytesDefault`, which is only an estimate. */
    readonly endurance: number | undefined;
    readonly commitIntervalMs: number;
  };
  readonly mqtt: MqttAddresses & {
    readonly anonymous?: boolean | undefined;
    readonly limits: MqttLimits;
    readonly routes: readonly RouteConfig[];
    readonly sources: readonly MqttSourceConfig[];
  };
  readonly serial: readonly SerialPortConfig[];
  readonly modbus: readonly ModbusBusConfig[];
  readonly admin: AdminConfig;
  /** By name. It has no prototype, so that a topic may be called `constructor`. */
  readonly topics: Readonly<Record<string, TopicConfig>>;
  readonly anomaly: AnomalyConfig;
  readonly forwarder: {
    readonly brokers: readonly Address[];
    readonly lingerMs: number;
    /** Milliseconds. */
    readonly waitForClock: number;
    /** Undefined for as much as the link takes. */
    readonly bytesPerSecond?: number | undefined;
    /** Undefined for as much as the link takes. */
    readonly bytesPerDay?: number | undefined;
    /** Undefined for always. */
    readonly hours?: readonly HourSpan[] | undefined;
    readonly topics: readonly string[];
    readonly topicName: string;
    readonly create: {
      readonly allowed: boolean;
      readonly replication?: number | undefined;
      /** Milliseconds. */
      readonly retention?: number | undefined;
    };
    readonly delivery: 'exactly-once' | 'at-least-once';
    readonly onCheckpointLost: 'resume' | 'resend' | 'stop';
    /** Undefined for connections without TLS. */
    readonly tls: TlsConfig | undefined;
    /** Undefined for connections without a login. */
    readonly sasl: SaslConfig | undefined;
  };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

/** A topic that the configuration names. */
export interface TopicConfig {
  readonly partitions: number;
  /** Only what is given. */
  readonly settings: TopicSettings;
}

export type Checked = { readonly config: Config } | { readonly problems: readonly SettingProblem[] };

/** Checks a whole tree of settings and fills in the defaults. Never throws; finds every problem it can see at once. */
export function checkSettings(tree: unknown, hostName: string): Checked {
  const result = builtSettings(hostName).safeParse(tree);
  if (!result.success) {
    const problems = problemsIn(result.error.issues, tree);
    const sound = withoutProblems(tree, problems);
    // What settings mean together is looked at only where each of them is sound.
    const again = builtSettings(hostName).safeParse(sound.tree);
    const further = again.success ? [] : problemsIn(again.error.issues, sound.tree);
    return { problems: [...problems, ...further.filter(({ path }) => !sound.isLeftOut(path))] };
  }
  const topics: Record<string, TopicConfig> = Object.create(null);
  for (const [name, topic] of Object.entries(result.data.topics)) topics[name] = topicConfig(topic);
  const { data, forwarder, mqtt, modbus, ...others } = result.data;
  const { budget, endurance } = data;
  const { tls, sasl } = forwarder;
  const access = { tls, sasl: sasl === undefined ? undefined : saslConfig(sasl) };
  return {
    config: {
      ...others,
      data: { ...data, budget, endurance },
      modbus: modbus.map(busOf),
      mqtt: { ...mqtt, limits: mqttLimitsOf(mqtt.limits), routes: mqtt.routes.map(routeOf) },
      forwarder: { ...forwarder, ...access },
      topics,
    },
  };
}

const problemsIn = (issues: readonly SettingIssue[], tree: unknown): readonly SettingProblem[] =>
  issues.flatMap((issue) => problemsOf(issue, tree, settingPaths()));

/** The path of every setting; `*` stands for a name that the user chooses. */
export function settingPaths(): readonly SettingPath[] {
  // Types of one setting have settings of the same name, `type` for one.
  knownPaths ??= [...new Map(pathsOf(settingShape('')).map((path) => [path.join('.'), path])).values()];
  return knownPaths;
}

let knownPaths: readonly SettingPath[] | undefined;

/** What all settings are, and how they are written. */
export const settingShape = (hostName: string): Shape => {
  const settings = builtSettings(hostName);
  if (shaped?.settings !== settings) shaped = { settings, shape: shapeOf(settings) };
  return shaped.shape;
};

let shaped: { readonly settings: ReturnType<typeof settingsFor>; readonly shape: Shape } | undefined;

/** Building all kinds of settings costs far more than checking by them, and a process has one host name. */
function builtSettings(hostName: string): ReturnType<typeof settingsFor> {
  if (built?.hostName !== hostName) built = { hostName, settings: settingsFor(hostName) };
  return built.settings;
}

let built: { readonly hostName: string; readonly settings: ReturnType<typeof settingsFor> } | undefined;

/** The host name made legal as part of a topic name. */
export function gatewayNameFrom(hostName: string): string {
  const legal = hostName.replaceAll(/[^a-zA-Z0-9._-]/g, '-').slice(0, limits.gatewayNameLengthMax);
  return isLegalTopicName(legal) ? legal : 'headwater';
}

/** The disk budget of a gateway that is not told one: half of what is free at its first start, 4 GiB at most. */
export function defaultBudgetBytes(freeBytes: number): number {
  return Math.max(limits.budgetBytesMin, Math.min(limits.budgetBytesDefaultMax, Math.floor(freeBytes / 2)));
}
