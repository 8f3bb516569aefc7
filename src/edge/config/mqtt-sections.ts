import type { ListenerKind } from '../../ingest/mqtt/listener.ts';
import type { Address } from './address.ts';
import { checkKeyPair } from './cluster-sections.ts';
import { listenAddress, listenAddressOrOff } from './name-kinds.ts';
import { type CheckContext, choice, file, section } from './setting-kinds.ts';

/** `mqtt.tls`. That it is there turns TLS on; all settings in it have defaults, and count for `mqtt.wss` as well. */
export const mqttTlsSection = () =>
  section(
    {
      listen: listenAddressOrOff('127.0.0.1:8883').prefault('127.0.0.1:8883'),
      /** The certificate with its chain, and its key; without them the gateway makes its own. */
      certFile: file().optional(),
      keyFile: file().optional(),
      /** The CAs that sign the certificates of clients. With it clients are asked for one. */
      clientCaFile: file().optional(),
      clientCertificates: choice(['optional', 'required']).optional(),
    },
    'or {} for 127.0.0.1:8883 with a certificate of its own',
  )
    .superRefine(checkKeyPair)
    .superRefine(checkClientCertificates);

/** `mqtt.ws` and `mqtt.wss`. That it is there turns it on. */
export const webSocketSection = (example: string) =>
  section({ listen: listenAddress(example).prefault(example) }, `or {} for ${example}`);

/** Files are read again when they change. */
export interface MqttTlsConfig {
  readonly listen: Address | 'off';
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly clientCaFile?: string | undefined;
  readonly clientCertificates?: 'optional' | 'required' | undefined;
}

/** `mqtt`, as far as it says where to listen. */
export interface MqttAddresses {
  readonly listen: Address | 'off';
  /** Undefined for no TLS. */
  readonly tls?: MqttTlsConfig | undefined;
  readonly ws?: { readonly listen: Address } | undefined;
  readonly wss?: { readonly listen: Address } | undefined;
}

/** A place where clients connect. */
export interface ConfiguredListener {
  readonly kind: ListenerKind;
  /** The setting that says where. */
  readonly setting: string;
  readonly listen: Address;
}

/** Where clients connect. */
export function configuredListeners({ listen, tls, ws, wss }: MqttAddresses): readonly ConfiguredListener[] {
  const all = [
    { kind: 'mqtt', setting: 'mqtt.listen', listen },
    { kind: 'mqtts', setting: 'mqtt.tls.listen', listen: tls?.listen ?? 'off' },
    { kind: 'ws', setting: 'mqtt.ws.listen', listen: ws?.listen ?? 'off' },
    { kind: 'wss', setting: 'mqtt.wss.listen', listen: wss?.listen ?? 'off' },
  ] as const;
  return all.flatMap((one) => (one.listen === 'off' ? [] : [{ ...one, listen: one.listen }]));
}

/** Whether clients connect by TLS anywhere. */
export const isMqttSecured = (addresses: MqttAddresses): boolean =>
  configuredListeners(addresses).some(({ kind }) => isSecured(kind));

/** Whether this kind is by TLS. */
export const isSecured = (kind: ListenerKind): boolean => kind === 'mqtts' || kind === 'wss';

/** The same with paths that no longer depend on the working directory. */
export function resolvedMqttTls(tls: MqttTlsConfig, resolve: (path: string) => string): MqttTlsConfig {
  const resolved = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const { certFile, keyFile, clientCaFile } = tls;
  return {
    ...tls,
    certFile: resolved(certFile),
    keyFile: resolved(keyFile),
    clientCaFile: resolved(clientCaFile),
  };
}

function checkClientCertificates(
  { clientCaFile, clientCertificates }: Omit<MqttTlsConfig, 'listen'>,
  context: CheckContext,
): void {
  if (clientCertificates !== undefined && clientCaFile === undefined) {
    const message =
      'write the file with the CAs that sign the certificates of clients, or remove clientCertificates';
    context.addIssue({ code: 'custom', path: ['clientCaFile'], message, input: undefined });
  }
}
