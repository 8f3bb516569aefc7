import { limits } from '../../core/limits.ts';
import { resolvedTls, type SecretSource, type TlsConfig, tlsSection } from './cluster-sections.ts';
import { type BrokerUrl, brokerUrl, mqttClientId, portName, saslUser, sourceFilter } from './name-kinds.ts';
import {
  type CheckContext,
  list,
  secretFile,
  secretVariable,
  section,
  wholeNumber,
} from './setting-kinds.ts';

/** `mqtt.sources`. */
export const sourceList = () =>
  list(
    sourceSection(),
    "brokers to subscribe to, such as [{ name: plant, url: 'mqtt://broker:1883', topics: ['sensors/#'] }]",
    limits.mqttSourcesMax,
  )
    .superRefine(checkNames)
    .default([]);

const sourceSection = () =>
  section({
    /** What status, metrics and dead letters call it. */
    name: portName(),
    /** Where the broker is: mqtt:// or, with TLS, mqtts://. */
    url: brokerUrl(),
    /** MQTT topic filters. */
    topics: list(sourceFilter(), "MQTT topics, such as ['sensors/#']", limits.mqttSourceTopicsMax)
      .min(1, { error: () => "write one topic at least, such as ['sensors/#']" })
      .transform((topics) => [...new Set(topics)]),
    /** What the broker is asked for; 2 is exactly once. A message that was published with less comes with that. */
    qos: wholeNumber(1, 2).default(2),
    /** Names the session at the broker, which queues for it while the gateway is away. */
    clientId: mqttClientId().optional(),
    username: saslUser().optional(),
    /** The secret is never in the configuration itself, which people copy and show. */
    passwordFile: secretFile().optional(),
    passwordEnv: secretVariable().optional(),
    /** As `forwarder.tls`; for mqtts:// only. */
    tls: tlsSection().optional(),
  })
    .superRefine(checkSource)
    .transform(sourceConfig);

/** A broker that the gateway subscribes to. */
export interface MqttSourceConfig {
  readonly name: string;
  readonly url: BrokerUrl;
  readonly topics: readonly string[];
  readonly qos: 1 | 2;
  /** Undefined for one made of the names of the gateway and the source. */
  readonly clientId: string | undefined;
  /** Undefined for no login. */
  readonly username: string | undefined;
  readonly password: SecretSource | undefined;
  /** What is left out has defaults; it counts with mqtts:// only. */
  readonly tls: TlsConfig;
}

interface SourceSettings {
  readonly name: string;
  readonly url: BrokerUrl;
  readonly topics: readonly string[];
  readonly qos: number;
  readonly clientId?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly tls?: TlsConfig | undefined;
}

/** The same with paths that no longer depend on the working directory. */
export function resolvedSource(
  source: MqttSourceConfig,
  resolve: (path: string) => string,
): MqttSourceConfig {
  const { password, tls } = source;
  return {
    ...source,
    password: password?.kind === 'file' ? { ...password, name: resolve(password.name) } : password,
    tls: resolvedTls(tls, resolve),
  };
}

function sourceConfig(settings: SourceSettings): MqttSourceConfig {
  const { name, url, topics, qos, clientId, username, passwordFile, passwordEnv, tls = {} } = settings;
  const section = `mqtt.sources.${name}`;
  const password: SecretSource | undefined =
    passwordFile !== undefined
      ? { setting: `${section}.passwordFile`, kind: 'file', name: passwordFile }
      : passwordEnv !== undefined
        ? { setting: `${section}.passwordEnv`, kind: 'variable', name: passwordEnv }
        : undefined;
  return { name, url, topics, qos: qos === 1 ? 1 : 2, clientId, username, password, tls };
}

function checkSource(settings: SourceSettings, context: CheckContext): void {
  const { url, username, passwordFile, passwordEnv, tls } = settings;
  const complain = (setting: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [setting], message, input: undefined });
  if (passwordFile !== undefined && passwordEnv !== undefined)
    complain('passwordEnv', 'write passwordFile or passwordEnv, not both');
  if ((passwordFile ?? passwordEnv) !== undefined && username === undefined)
    complain('username', 'write the user to whom the password belongs');
  if (tls !== undefined && !url.isTls) complain('tls', 'write mqtts:// in url, or remove tls');
}

/** Records and sessions could not be told apart. */
function checkNames(sources: readonly MqttSourceConfig[], context: CheckContext): void {
  const complain = (index: number, setting: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [index, setting], message, input: undefined });
  sources.forEach(({ name, url, clientId }, index) => {
    const before = sources.slice(0, index);
    const sameName = before.findIndex((other) => other.name === name);
    if (sameName !== -1) complain(index, 'name', `write another name than that of mqtt.sources.${sameName}`);
    const sameId = before.findIndex(
      (other) => clientId !== undefined && other.clientId === clientId && other.url.text === url.text,
    );
    if (sameId !== -1)
      complain(
        index,
        'clientId',
        `write another clientId than that of mqtt.sources.${sameId}, at the same broker`,
      );
  });
}
