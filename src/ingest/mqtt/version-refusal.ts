/** What a client of MQTT 5 is told, and the service log. */
export const versionRefusalMessage = 'MQTT 5 is not supported; set the client to MQTT 3.1.1';

const packetType = 0x20;
const unsupportedProtocolVersion = 0x84;
const reasonString = 0x1f;

/**
 * The CONNACK of MQTT 5 (3.2) that refuses its version, with why, or without it if the client takes no packets so long. The
 * CONNACK of MQTT 3.1.1 that [MQTT-3.1.2-2] names would be malformed to such a client, and tell its user nothing.
 */
export function versionRefusal(packetBytesMax = Number.POSITIVE_INFINITY): Buffer {
  const text = Buffer.from(versionRefusalMessage);
  const withReason = connack(Buffer.concat([Buffer.from([reasonString, 0, text.length]), text]));
  return withReason.length <= packetBytesMax ? withReason : connack(Buffer.alloc(0));
}

/** Lengths below 128 take one byte. */
const connack = (properties: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([packetType, 3 + properties.length, 0, unsupportedProtocolVersion, properties.length]),
    properties,
  ]);
