import { hostname } from 'node:os';
import type { Logger } from '../../core/logger.ts';
import type { ListenerOptions } from '../../ingest/mqtt/listener.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { nodeRandom } from '../../platform/node-random.ts';
import {
  configuredListeners,
  isMqttSecured,
  isSecured,
  type MqttTlsConfig,
} from '../config/mqtt-sections.ts';
import type { Config } from '../config/schema.ts';
import { certificateFile } from './certificate-file.ts';
import { machineNames } from './machine-names.ts';
import { ownCertificate } from './own-certificate.ts';
import { TlsCredentials } from './tls-credentials.ts';

/** Where clients connect, as it is configured. */
export interface MqttListeners {
  readonly options: readonly ListenerOptions[];
  /** Null without a listener that needs it. */
  readonly tls: TlsCredentials | null;
}

/**
 * Gets ready what the listeners of a gateway need; its own certificate is made here.
 * @throws OperatingError `data-folder-unusable`
 */
export async function openMqttListeners(
  config: Config,
  dataDir: string,
  logger: Logger,
): Promise<MqttListeners> {
  const listeners = configuredListeners(config.mqtt);
  const tls = isMqttSecured(config.mqtt) ? await openCredentials(config, dataDir, logger) : null;
  return { options: listeners.map((one) => ({ ...one, tls: isSecured(one.kind) ? tls : null })), tls };
}

async function openCredentials(config: Config, dataDir: string, logger: Logger): Promise<TlsCredentials> {
  const tls: MqttTlsConfig = config.mqtt.tls ?? { listen: 'off' };
  const names = machineNames(config.gateway.name, hostname());
  return await TlsCredentials.open({
    section: 'mqtt.tls',
    config: tls,
    certificateFile: certificateFile(config.mqtt, dataDir),
    own: tls.certFile === undefined ? await ownCertificate(dataDir, names, nodeRandom, logger) : null,
    standIn: null,
    clock: nodeClock,
    logger,
  });
}
