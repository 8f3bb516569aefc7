import { assert } from './errors.ts';
import { limits } from './limits.ts';

/*
 * What has to hold between limits. It is imported for that alone, so that a gateway whose limits contradict each other does not
 * start.
 */

assert(limits.frameBytesMax % limits.journalBlockBytes === 0, 'a frame is whole blocks');
assert(
  limits.frameBytesMax * 2 < limits.journalFileBytes,
  'a file holds a header and a frame of the largest size',
);
assert(
  limits.qos2OpenIdsMax * (limits.mqttClientIdBytesMax + 16) + limits.frameBytesMax < limits.journalFileBytes,
  'a file holds all open QoS 2 ids and a frame of the largest size',
);
assert(
  limits.mqttClientQos2IdsMax * 4 < limits.qos2OpenIdsMax,
  'one client does not cost all others their open QoS 2 ids',
);
assert(
  limits.qos2RequestBytesMax >= 2 * (limits.mqttClientIdBytesMax + 16),
  'a request counts as much as the entries that it makes',
);
assert(
  limits.linkOverheadBytes + limits.transactionBytesMin < limits.linkBytesPerDayMin / 4,
  'on a new day there is room for a session start, and for something to send',
);
assert(limits.recordBytesMax * 2 < limits.frameBytesMax, 'a record of the largest size fits into a commit');
assert(
  limits.serialFrameBytesMax * 6 + limits.decoderColumnsMax * limits.decoderNameLengthMax * 6 <
    limits.decodedBytesMax,
  'what a decoder gives fits, with each byte of frame and names escaped',
);
assert(limits.decodedBytesMax < limits.recordBytesMax, 'what a decoder gives fits into a record');
assert(
  limits.recordBytesMax < limits.forwardBatchBytesMax,
  'a record of the largest size fits into a Kafka batch',
);
assert(
  limits.recordBytesMax < limits.mqttPacketBytesMax,
  'a record of the largest size fits into an MQTT packet',
);
assert(
  limits.mqttPacketBytesMax + limits.mqttPublishOverheadBytes <= limits.mqttClientPendingBytesMax,
  'one packet of the largest size may be pending',
);
assert(
  limits.mqttOfferBytesMax * 2 < limits.frameBytesMax,
  'what is offered in one request fits into a commit',
);
assert(
  limits.mqttClientPendingBytesMax < limits.mqttPendingBytesMax,
  'one client cannot use up the whole budget',
);
assert(limits.mqttPendingSettingBytesMax < limits.pendingBytesMax, 'MQTT alone cannot overload the log');
assert(
  limits.mqttPendingSettingBytesMax + limits.serialPortsMax * limits.serialAppendBytesMax <
    limits.pendingBytesMax,
  'MQTT and all serial ports together cannot overload the log',
);
assert(
  limits.mqttPendingSettingBytesMax +
    limits.serialPortsMax * limits.serialAppendBytesMax +
    limits.mqttSourcesMax * limits.mqttSourcePendingBytesMax <
    limits.pendingBytesMax,
  'nor can they together with all brokers that are subscribed to',
);
assert(
  limits.recordBytesMax + limits.mqttMessageOverheadBytes <= limits.mqttSourcePendingBytesMax,
  'a record of the largest size may be offered by a source',
);
assert(limits.mqttSourceStopMs * 2 < limits.stopTimeoutMs / 4, 'sources stop within their share of a stop');
assert(
  limits.mqttSourceNameLengthMax + 32 <= limits.mqttClientIdBytesMax,
  'the name of a source fits into the client id under which its QoS 2 ids are kept',
);
assert(
  limits.serialFrameBytesMax * 2 < limits.serialAppendBytesMax,
  'a frame of the largest size fits into an append, with what was dropped before it',
);
assert(
  limits.serialPauseBytes +
    limits.serialFrameBytesMax +
    (limits.serialReadBytesMax / 2) * (limits.serialRecordOverheadBytes + 2) <=
    limits.serialPendingBytesMax,
  'what a port still gives when it is paused, at worst frames of one byte, does not make records be dropped',
);
assert(limits.mqttStopMs * 2 < limits.stopTimeoutMs / 2, 'MQTT stops within its share of the whole stop');
assert(
  limits.forwarderStopMs * 2 < limits.stopTimeoutMs,
  'the forwarder stops within its half of the time for the whole stop',
);
assert(
  limits.kafkaRequestTimeoutMs < limits.transactionTimeoutMs,
  'we give up a request before the cluster gives up its transaction',
);
assert(
  limits.checkpointFetchMsWanted * limits.checkpointFetchGrowthMax < limits.kafkaRequestTimeoutMs,
  'an answer with checkpoints comes in time also when the link has become four times slower',
);
assert(
  limits.transactionMsMax < limits.transactionSendMsMax &&
    limits.transactionSendMsMax + limits.kafkaRequestTimeoutMs < limits.transactionTimeoutMs,
  'we abort a transaction that takes too long before the cluster does',
);
assert(
  limits.suspicionKeptMs > 2 * limits.pauseMs,
  'a partition that is left out is suspected when it is tried again',
);
assert(
  limits.bulkRequestBytesMin > limits.sealedBatchBytesMax + 1024,
  'a sealed batch of the usual size leaves as it is stored, header included, however slow the link is',
);
assert(
  limits.hiddenDelayMs * limits.hiddenQuietRepeats > limits.transactionMsMax &&
    limits.hiddenQuietRepeats < limits.hiddenRepeatsMax,
  'a usual transaction of the other lane is no news, but a longer one is',
);
assert(limits.forwardBatchBytesMax < limits.transactionBytesMax, 'a transaction holds at least one batch');
assert(
  limits.transactionBytesMin < limits.sealedBatchBytesMax &&
    limits.sealedBatchBytesMax <= limits.transactionBytesFirst,
  'sealed batches leave as they are stored, but not on a link that has proved too slow for that',
);
assert(
  limits.sealedBatchBytesMax * 1000 <= limits.linkBytesPerSecondMin * limits.transactionMsWanted,
  'on the slowest link that can be asked for, a transaction holds a sealed batch of the usual size',
);
assert(
  limits.partitionsPerTopicMax < limits.adminRecordStreamsMax,
  'one client can follow every partition of a topic',
);
assert(
  limits.adminRecordStreamsMax < limits.adminConnectionsMax,
  'readers of records leave connections for health checks',
);
assert(
  limits.usersMax * 1000 < limits.usersFileBytesMax,
  'as many users as there may be fit into their file',
);
assert(
  limits.usersFileBytesMax * 3 < limits.otherFilesBytesMax,
  'while the file of users is replaced, with a damaged one kept beside it, small files stay within what they may take',
);
assert(
  ((limits.usersFileBytesMax +
    limits.configFileBytesMax +
    limits.adminPasswordFileBytesMax +
    limits.ownCredentialBytesMax * 3) *
    4) /
    3 <
    limits.backupBytesMax - 4096,
  'all files of a backup, at their largest and in base64, fit into it',
);
assert(
  limits.userNameBytesMax * 3 <= limits.topicNameLengthMax,
  'the name of a user, percent-encoded, fits into a path of the admin API',
);
assert(
  limits.scryptCost * 128 * 8 <= limits.scryptBytesMax,
  'what we hash is within what a hash in the file may ask for',
);
assert(
  limits.openAlertsMax * limits.alertMemoBytesMax +
    limits.pendingAlertsMax * limits.pendingAlertMemoBytesMax <
    limits.alertMemosBytesMax,
  'as many alerts as there may be fit into what the log keeps of them',
);
assert(
  limits.topicNameLengthMax + 14 < limits.seriesNameBytesMax,
  'the name of a series has the whole name of its topic, also when it is cut and ends in a hash',
);
assert(
  (limits.mqttRefusalLinesMax + 1) * (limits.logIntervalMs / limits.mqttRefusalIntervalMs) <
    limits.logLinesMax,
  'clients that are refused leave room in the log for what else MQTT has to say',
);
assert(
  limits.sourceNoticesMax * (limits.logIntervalMs / limits.sourceNoticeIntervalMs) < limits.logLinesMax,
  'what is said of a source is not left out twice',
);
assert(
  limits.stopTimeoutMs + limits.stuckExitMs < limits.stopExtensionMs,
  'the service manager waits for the whole of a stop',
);
assert(
  limits.startLookMs + limits.openBackoffMsMax < limits.startExtensionMs,
  'a start that waits for the disk and tries again is seen to go on',
);
