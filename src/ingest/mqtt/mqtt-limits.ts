import { limits } from '../../core/limits.ts';

/** What one gateway allows MQTT clients, within what the product can bear. */
export interface MqttLimits {
  /** On all listeners together. */
  readonly connectionsMax: number;
  /** One PUBLISH. */
  readonly packetBytesMax: number;
  /** PUBLISH packets of one client that are not answered yet. */
  readonly clientPendingBytesMax: number;
  /** The same of all clients. */
  readonly pendingBytesMax: number;
  /** A topic of a message, or a topic filter. */
  readonly topicBytesMax: number;
  readonly topicLevelsMax: number;
  /** Filters of one client. */
  readonly subscriptionsMax: number;
  /** Messages that wait for one subscriber. */
  readonly sessionQueuedMax: number;
  readonly connectTimeoutMs: number;
  /** Who asks for a longer keep-alive, or none, is cut off after 1.5 times this without a packet; null for as they ask. */
  readonly keepAliveMsMax: number | null;
  /** PUBLISH packets of one client that pass on the average; null for as many as come. */
  readonly messagesPerSecondMax: number | null;
}

export const defaultMqttLimits: MqttLimits = {
  connectionsMax: limits.mqttConnectionsMax,
  packetBytesMax: limits.mqttPacketBytesMax,
  clientPendingBytesMax: limits.mqttClientPendingBytesMax,
  pendingBytesMax: limits.mqttPendingBytesMax,
  topicBytesMax: limits.mqttTopicBytesMax,
  topicLevelsMax: limits.mqttTopicLevelsMax,
  subscriptionsMax: limits.mqttSubscriptionsMax,
  sessionQueuedMax: limits.mqttSessionQueuedMax,
  connectTimeoutMs: limits.mqttConnectTimeoutMs,
  keepAliveMsMax: null,
  messagesPerSecondMax: null,
};
