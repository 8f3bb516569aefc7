import { join } from 'node:path';
import type { AdminConfig } from '../config/admin-section.ts';
import type { MqttAddresses } from '../config/mqtt-sections.ts';

/** The gateway's own certificate and its key, in the data folder; only the gateway's own user can read the key. */
export const OWN_CERTIFICATE_FILE = 'mqtt-certificate.pem';
export const OWN_KEY_FILE = 'mqtt-key.pem';

/** The gateway's own certificate in the data folder; everybody may read it. */
export const ownCertificatePath = (dataDir: string): string => join(dataDir, OWN_CERTIFICATE_FILE);

/** The file with the certificate that TLS listeners show. */
export const certificateFile = ({ tls }: MqttAddresses, dataDir: string): string =>
  tls?.certFile ?? ownCertificatePath(dataDir);

/** The file with the certificate that the page shows by HTTPS. */
export const adminCertificateFile = ({ tls }: AdminConfig, dataDir: string): string =>
  tls?.certFile ?? ownCertificatePath(dataDir);
