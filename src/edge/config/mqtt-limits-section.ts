import { limits } from '../../core/limits.ts';
import type { MqttLimits } from '../../ingest/mqtt/mqtt-limits.ts';
import { type CheckContext, duration, section, size, wholeNumber } from './setting-kinds.ts';

/** `mqtt.limits`: what clients are allowed. */
export const mqttLimitsSection = () =>
  section({
    /** On all listeners together. */
    connections: wholeNumber(1, limits.mqttConnectionsSettingMax, 'connections').default(
      limits.mqttConnectionsMax,
    ),
    /** The largest PUBLISH. */
    packet: size(limits.mqttPacketSettingBytesMin, limits.mqttPacketBytesMax).default(
      limits.mqttPacketBytesMax,
    ),
    /** What of one client may wait for its commit; above it, TCP holds the client back. */
    pendingPerClient: size(limits.mqttPacketSettingBytesMin, limits.mqttPendingSettingBytesMax).default(
      limits.mqttClientPendingBytesMax,
    ),
    /** The same of all clients. */
    pending: size(limits.mqttPacketSettingBytesMin, limits.mqttPendingSettingBytesMax).default(
      limits.mqttPendingBytesMax,
    ),
    topicLength: wholeNumber(1, limits.mqttTopicSettingBytesMax, 'bytes').default(limits.mqttTopicBytesMax),
    topicLevels: wholeNumber(1, limits.mqttTopicLevelsMax, 'levels').default(limits.mqttTopicLevelsMax),
    /** Of one client. */
    subscriptions: wholeNumber(1, limits.mqttSubscriptionsMax, 'subscriptions').default(
      limits.mqttSubscriptionsMax,
    ),
    /** Messages that wait for a subscriber who is away or slow. */
    queuedMessages: wholeNumber(0, limits.mqttSessionQueuedSettingMax, 'messages').default(
      limits.mqttSessionQueuedMax,
    ),
    connectTimeout: duration(limits.mqttSweepIntervalMs, limits.mqttTimeoutSettingMsMax).default(
      limits.mqttConnectTimeoutMs,
    ),
    /** Who asks for a longer one, or none, is treated as if it had asked for this; without it as they ask. */
    keepAlive: duration(limits.mqttSweepIntervalMs, limits.mqttKeepAliveSettingMsMax).optional(),
    /** Of one client, on the average; faster ones are held back. Without it as many as come. */
    messagesPerSecond: wholeNumber(1, limits.mqttMessagesPerSecondSettingMax, 'messages').optional(),
  }).superRefine(checkPending);

interface MqttLimitSettings {
  readonly connections: number;
  readonly packet: number;
  readonly pendingPerClient: number;
  readonly pending: number;
  readonly topicLength: number;
  readonly topicLevels: number;
  readonly subscriptions: number;
  readonly queuedMessages: number;
  readonly connectTimeout: number;
  readonly keepAlive?: number | undefined;
  readonly messagesPerSecond?: number | undefined;
}

/** Settings that have passed the checks of {@link mqttLimitsSection}, as MQTT ingest needs them. */
export const mqttLimitsOf = (settings: MqttLimitSettings): MqttLimits => ({
  connectionsMax: settings.connections,
  packetBytesMax: settings.packet,
  clientPendingBytesMax: settings.pendingPerClient,
  pendingBytesMax: settings.pending,
  topicBytesMax: settings.topicLength,
  topicLevelsMax: settings.topicLevels,
  subscriptionsMax: settings.subscriptions,
  sessionQueuedMax: settings.queuedMessages,
  connectTimeoutMs: settings.connectTimeout,
  keepAliveMsMax: settings.keepAlive ?? null,
  messagesPerSecondMax: settings.messagesPerSecond ?? null,
});

/** What could never pass would be waited for, for ever. */
function checkPending({ packet, pendingPerClient, pending }: MqttLimitSettings, context: CheckContext): void {
  const needed = packet + limits.mqttPublishOverheadBytes;
  const complain = (setting: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [setting], message, input: pending });
  };
  if (pendingPerClient < needed)
    complain(
      'pendingPerClient',
      `write at least ${needed}, so that one packet of the largest size fits, or a smaller packet`,
    );
  if (pending < pendingPerClient) complain('pending', 'write at least as much as pendingPerClient');
}
