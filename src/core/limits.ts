import { adminLimits } from './admin-limits.ts';
import { anomalyLimits } from './anomaly-limits.ts';
import { applianceLimits } from './appliance-limits.ts';
import { forwarderLimits } from './forwarder-limits.ts';
import { serialLimits } from './serial-limits.ts';
import { serviceLimits } from './service-limits.ts';
import { KIB, MIB } from './sizes.ts';
import { supportLimits } from './support-limits.ts';

/** Every bound of the product, in one place, with its unit in its name. */
export const limits = {
  // Records and topics
  /** Key, value and headers together. Kafka refuses a batch above 1,048,588 bytes; the rest is room for its framing. */
  recordBytesMax: 900 * KIB,
  headersPerRecordMax: 64,
  /** Kafka's own limit for a topic name. */
  topicNameLengthMax: 249,
  partitionsMax: 256,
  partitionsPerTopicMax: 64,
  /** The largest size that can be asked for, above that of any disk of a device. */
  storedBytesMax: 1024 * 1024 * 1024 * MIB,
  retentionAgeMsMax: 36_500 * 24 * 3600 * 1000,
  topicPriorityMax: 9,
  topicPriorityDefault: 5,
  /** Of a topic that is sent by key: each flush makes a batch for each of them. */
  centralPartitionsMax: 256,

  // Disk budget
  /** Room for the journal, what waits to be sealed, and spare files. */
  budgetBytesMin: 256 * MIB,
  budgetBytesDefaultMax: 4096 * MIB,
  /** What small files beside journal and segments may take: tokens, totals, the lock. */
  otherFilesBytesMax: 4 * MIB,
  /** `budget.json`, which holds one number. */
  budgetFileBytesMax: 256,
  /** How long `timedatectl` may take to say whether the clock is set. */
  timedatectlMs: 5_000,
  /** Waits between attempts to open the log on a disk that is full or failing. */
  openBackoffMsMin: 1_000,
  openBackoffMsMax: 10_000,
  /** Journal files for which there is always room: for what is being taken in, and for what makes room. */
  budgetReserveFiles: 4,
  /** What the quarantine may take, as journal files: it is not to keep new records from a small budget. */
  quarantineFilesMax: 2,

  // Journal
  journalFileBytes: 16 * MIB,
  /** One write while a spare file is filled with zeros. */
  zeroFillBytes: 1 * MIB,
  /** A commit starts on a block of its own, so that a torn one cannot damage its predecessor. */
  journalBlockBytes: 4 * KIB,
  /** One commit, header included. */
  frameBytesMax: 4 * MIB,
  /** Records waiting for a commit, all sources together; above it the log answers `log-overloaded`. */
  pendingBytesMax: 32 * MIB,
  /** Beginnings of lives in partitions, remembered for the mirror; those of the oldest life are forgotten first. */
  lifeStartsMax: 65_536,
  /** Frames no larger than this are stored as they are: zstd gains nothing there. */
  frameCompressBytesMin: 4 * KIB,
  /** What is read of a journal file at once, while its frames are looked for; a frame may be larger. */
  scanWindowBytes: 1 * MIB,
  /** zlib takes its output in pieces of at least this size. */
  zstdChunkBytesMin: 64,
  commitIntervalMsMax: 1000,
  /** Waits between attempts to recover after a failed write or sync. */
  recoveryBackoffMsMin: 100,
  recoveryBackoffMsMax: 10_000,

  // Segments
  segmentBytesDefault: 8 * MIB,
  segmentBytesMin: 64 * KIB,
  segmentBytesMax: 1024 * MIB,
  /** A segment takes records of so long a time at most, so that retention by age finds whole ones to remove. */
  segmentAgeMsMax: 7 * 24 * 3600 * 1000,
  /** A merged batch as stored; one record may be larger. A larger batch would hold up the alarm lane on a slow link. */
  sealedBatchBytesMax: 64 * KIB,
  sealedBatchPlainBytesMax: 1 * MIB,
  sealedBatchRecordsMax: 4096,
  /** Measured on readings: higher levels cost more than they save. */
  segmentZstdLevel: 1,
  /** Journal files that wait to be sealed before it is done, and that are sealed in one go. */
  sealFilesMin: 2,
  sealFilesMax: 4,
  /** Records of all partitions that wait for their batch to become full. */
  sealPendingBytesMax: 32 * MIB,
  /** Short-lived objects of the thread that seals, in MB: with more, its heap would grow to no purpose. */
  sealThreadYoungMbMax: 3,
  /** Bytes of a segment that one sync makes durable: a longer one would hold up the commits. */
  sealSyncBytes: 2 * MIB,
  /** How long sealing waits for a commit to end before it goes on all the same. */
  sealYieldMsMax: 50,
  /** As of `nice`: what takes readings in gets the processor first. */
  sealThreadNiceness: 10,
  /** Journal files in reserve, the one that is taken next included. */
  journalSparesMax: 3,
  /** Waits between attempts at upkeep after the disk refused. */
  upkeepBackoffMsMin: 1_000,
  upkeepBackoffMsMax: 60_000,
  /** More than an entry about a segment or a partition takes in a commit. */
  upkeepEntryBytesMax: 64,
  /** A row of the loss ledger as a record. */
  gapRecordBytesMax: 1 * KIB,
  /** Losses found by readers that wait to be entered in the ledger. */
  notedLossesMax: 256,
  /** How often it is looked whether the clock is set by now. */
  clockLookMs: 5_000,
  /** How long the mirror can be asked to wait for that, from the first record on that is stamped by a clock that is not set. */
  waitForClockMsMax: 86_400_000,
  /** The wall clock has jumped if it has moved by so much against the monotonic one. */
  clockJumpMsMin: 100,
  /** Beginnings of clock epochs in partitions, remembered to correct stamps; the oldest ones are forgotten first. */
  clockEpochStartsMax: 65_536,
  /** Clock epochs that one commit tells of, and earlier ones that a record of the topic `clock` says to be corrected. */
  clockEpochsToldMax: 16,
  clockCorrectionsToldMax: 64,
  /** A record of the topic `clock`, with the entry that goes with it. */
  clockRecordBytesMax: 8 * KIB,
  /** How often upkeep looks whether retention has something to remove. */
  upkeepIntervalMs: 30_000,
  /** How full the disk is, is noted every ten minutes for a day; after so long it is said when the budget will be reached. */
  fillLookMs: 600_000,
  fillLooksMax: 144,
  fillKnownMs: 600_000,
  /** Entries of one commit in which a recovery takes segments over. */
  adoptionEntriesMax: 10_000,
  /** A life's ordinal in a segment that is taken over; it is an int32, and there is to be room for the lives after it. */
  adoptedLifeOrdinalMax: 2 ** 31 - 2 ** 20,
  /** Deleted topics whose offsets are remembered, so that none is used twice. */
  deletedTopicsMax: 1024,

  // Card
  /** What a file system gives to the device at least. */
  deviceBlockBytes: 4 * KIB,
  /** Of less payload, what is given to the device for a byte says nothing: a start alone writes more. */
  cardPayloadBytesMin: 1_000_000,
  /** What ext4 writes to its own journal for a sync that changes a length (measured: 20 KiB) or a name (16 KiB). */
  metadataSyncBytes: 20 * KIB,
  /** A consumer card of 32 GB at 500 cycles: the lower end of what such cards take. */
  enduranceBytesDefault: 16_000_000_000_000,
  enduranceBytesMin: 100_000_000_000,
  /** `card.json`: written so often at most, and once at a stop. */
  cardSaveIntervalMs: 3_600_000,
  cardFileBytesMax: 4 * KIB,
  /** A rate is told once it has been watched for so long: a start writes more than its share. */
  cardRateMsMin: 3_600_000,
  /** Looks at the counters, one each save: so the rate is that of the last day. */
  cardRateLooksMax: 25,

  // Readers
  /** Segments whose batches' places are kept in memory. */
  segmentTablesMax: 64,
  /** What is read from a segment at once at least: what is left of it serves the next reader from the page cache. */
  segmentReadBytesMin: 128 * KIB,
  /** Of so many bytes of a partition the average size of its records is known; older ones fade. */
  recordSizesBytesMax: 16 * MIB,
  /** Recent batches kept in memory for live readers. */
  tailBytesMax: 8 * MIB,
  /** Frames decoded for catching-up readers, shared by all of them. */
  frameCacheBytesMax: 8 * MIB,
  /** Journal files whose sparse index is kept in memory. */
  fileIndexesMax: 16,
  readBytesMax: 4 * MIB,
  /** What a search by time reads at once. */
  timeSearchBytes: 1 * MIB,

  // MQTT
  /** On all listeners together, from the first packet of TCP on. */
  mqttConnectionsMax: 1000,
  /** One MQTT packet. A PUBLISH of a record of the largest size fits, with its topic. */
  mqttPacketBytesMax: 1 * MIB,
  /** Packets of one client that are read but not yet answered. */
  mqttClientPendingBytesMax: 2 * MIB,
  /** The same for all clients together; above it, sockets are not read. */
  mqttPendingBytesMax: 6 * MIB,
  /** Any packet but a PUBLISH; it is passed on whatever is pending. */
  mqttControlPacketBytesMax: 64 * KIB,
  /** What a client is given of that at its turn, if it has so much to send: about sixty small messages. */
  mqttTurnBytes: 256 * KIB,
  /** What a pending PUBLISH costs in objects of the broker and ours (measured), besides its bytes: so many small ones cannot use up the memory. */
  mqttPublishOverheadBytes: 4 * KIB,
  /** The same of a message that is kept, or on its way into the log. */
  mqttMessageOverheadBytes: 512,
  /** Messages, each with that, that are offered to the log in one request; a larger one is offered alone. */
  mqttOfferBytesMax: 1 * MIB,
  /** What comes before MQTT, of TLS and WebSocket together; small boards take seconds for the first. */
  mqttHandshakeTimeoutMs: 20_000,
  /** How often it is looked whether the files with certificates have changed. */
  mqttCertificateLookMs: 5_000,
  /** The request that begins a WebSocket. */
  mqttUpgradeBytesMax: 8 * KIB,
  mqttConnectTimeoutMs: 10_000,
  /** The time a client may take to send the rest of a packet that it has begun. */
  mqttPacketTimeoutMs: 60_000,
  /** How often the three timeouts above are looked at. */
  mqttSweepIntervalMs: 1_000,
  /** A connection without traffic is probed after so long, so that dead devices free their places. */
  mqttTcpKeepAliveMs: 60_000,
  /** How often subscribers of `$headwater/…` hear what has changed. */
  toldTopicsIntervalMs: 5_000,
  /** Retained messages, with their topics. Further ones are stored in the log and delivered, but not retained. */
  mqttRetainedBytesMax: 4 * MIB,
  mqttRetainedMax: 5_000,
  /** Sessions that outlast connections; above it, that of the client away longest is given up. */
  mqttSessionsMax: 1_024,
  /** Filters of one client, and their bytes together; SUBACK refuses further ones. */
  mqttSubscriptionsMax: 256,
  mqttSubscriptionBytesMax: 16 * KIB,
  /** Messages that wait for one subscriber, and their bytes; what comes after them is not sent to it. */
  mqttSessionQueuedMax: 1_000,
  mqttSessionQueuedBytesMax: 2 * MIB,
  /** Messages on their way to a subscriber of which nothing is kept. */
  mqttPassingIdsMax: 1_000,
  /** The same for all subscribers together. */
  mqttQueuedBytesMax: 8 * MIB,
  /** Wills of all clients that survive the end of the gateway's process. */
  mqttWillsBytesMax: 2 * MIB,
  /** A will of an earlier run is published if its client is not back after 1.5 times its keep-alive, and after this at the latest. */
  mqttWillWaitMsMax: 120_000,
  /** A session ends when the gateway has run for so long without its client; counted in steps. */
  mqttSessionAwayMsMax: 30 * 24 * 3600 * 1000,
  mqttSessionAgeStepMs: 3_600_000,
  /** `mqtt.sqlite`: what nobody waits for is written so often at most, and synced so often. */
  mqttStoreIntervalMs: 1_000,
  mqttStoreSyncIntervalMs: 30_000,
  /** A client waits so long for it to be written; then it goes on. */
  mqttStoreAnswerMsMax: 5_000,
  /** After a failed write. */
  mqttStoreRetryMs: 10_000,
  mqttStoreBytesMax: 48 * MIB,
  /** The write-ahead log beside it, between two transactions. */
  mqttStoreWalBytesMax: 1 * MIB,
  /** Records of the log that a start looks through before clients may come, because they came after the last write. */
  mqttCatchUpRecordsMax: 50_000,
  mqttCatchUpBytesMax: 16 * MIB,
  /** Of the log, as stored, where retained messages are looked for after the store was lost. */
  mqttRebuildBytesMax: 256 * MIB,
  /** Clients wait so long for that at a start. */
  mqttRebuildWaitMsMax: 500,
  /** A stop waits so long for the readings in flight, and as long again for the wills of those it cuts off. */
  mqttStopMs: 1_500,
  mqttStopPollMs: 5,
  /** Warnings about refused clients and readings; what is more in one interval is summed up in one line. */
  mqttRefusalLinesMax: 10,
  mqttRefusalIntervalMs: 600_000,
  mqttTopicLevelsMax: 100,
  /** `mqtt.limits`: how far its settings go, where that is not the default. */
  mqttConnectionsSettingMax: 10_000,
  mqttPacketSettingBytesMin: 1 * KIB,
  mqttTopicSettingBytesMax: 65_535,
  mqttSessionQueuedSettingMax: 20_000,
  mqttTimeoutSettingMsMax: 300_000,
  /** MQTT's own: 65,535 s. */
  mqttKeepAliveSettingMsMax: 65_535_000,
  mqttPendingSettingBytesMax: 20 * MIB,
  mqttMessagesPerSecondSettingMax: 1_000_000,
  /** The topic of a message. */
  mqttTopicBytesMax: 1_024,
  /** A client id: so the open QoS 2 ids of all clients fit into the beginning of a journal file. */
  mqttClientIdBytesMax: 128,
  /** QoS 2 messages of one connection that are stored and not yet released; libraries send what they have at once. */
  mqttClientQos2IdsMax: 8_192,
  /** Messages on their way to subscribers that are connected; further ones wait for these. */
  mqttDeliveriesMax: 100,
  /** The same of all clients, also of absent ones; above it, those of the client silent longest are given up. */
  qos2OpenIdsMax: 65_536,
  /** What a QoS 2 id takes in a commit, together with what may have to make room for it. */
  qos2RequestBytesMax: 288,
  mqttRoutesMax: 256,
  /** MQTT topics of which it is remembered where their messages go. */
  routedTopicsMax: 4_096,
  /** MQTT topics of which it is told that no route was followed. */
  unroutedTopicsMax: 20,
  /** 2000-01-01: a device that says less has a clock that was never set. */
  deviceTimeMsMin: 946_684_800_000,
  /** The clock of a device may be ahead by so much; Kafka refuses what is an hour ahead. */
  deviceTimeAheadMsMax: 600_000,
  /** A subscriber that does not read for so long is disconnected, because it holds up its publishers. */
  mqttSubscriberStallMsMax: 5_000,

  // Users
  usersMax: 1024,
  usersFileBytesMax: 1 * MIB,
  /** `admin.token`, and the gateway's own certificate and its key. */
  ownCredentialBytesMax: 64 * KIB,
  userNameBytesMax: 64,
  /** In one list of one user or client id. */
  topicPatternsMax: 32,
  topicPatternBytesMax: 256,
  clientListsMax: 64,
  /** RFC 7914's N: 16 MiB and some 50 ms, 200 ms on a Pi. Hard to guess, and 1000 devices are back within two minutes. */
  scryptCost: 2 ** 14,
  /** What a hash in the file may ask for at most. */
  scryptBytesMax: 32 * MIB,
  /** Of Node's four threads two are left for the log's syncs. */
  passwordHashesAtOnceMax: 2,
  /** What Kafka takes at most: whoever has the file tries passwords by the weakest of what is in it. */
  scramIterations: 16_384,
  importedIterationsMax: 1_000_000,
  /** A password that was right is known again for so long without a hash. */
  loginRememberedMsMax: 3_600_000,
  /** Failed logins until more are refused unlooked, of a user from an address, of an address, of a user; one is forgotten in so long. */
  loginPairFailuresMax: 5,
  loginAddressFailuresMax: 50,
  loginUserFailuresMax: 100,
  loginFailureForgottenMs: 10_000,
  /** Addresses, users and pairs of both of which that is remembered, and pairs that have logged in. */
  loginsRememberedMax: 4096,

  // Sources: serial ports and brokers
  /** Lines about one source in the service log; what is more in one interval is left to status and metrics. */
  sourceNoticesMax: 10,
  sourceNoticeIntervalMs: 600_000,

  // Brokers that the gateway subscribes to
  mqttSourcesMax: 4,
  mqttSourceNameLengthMax: 63,
  /** Topic filters of one source. */
  mqttSourceTopicsMax: 64,
  /** Packets of one broker that are not answered; above it, its socket is not read. One record of the largest size may be offered. */
  mqttSourcePendingBytesMax: 960 * KIB,
  /** What is kept of a message that cannot be a record. */
  mqttSourceDeadLetterBytesMax: 64 * KIB,
  mqttSourceKeepAliveMs: 30_000,
  /** From the beginning of a connection to the broker's CONNACK. */
  mqttSourceConnectTimeoutMs: 20_000,
  /** Waits between connections; up to half of each is left to chance, so that many gateways do not come at once. */
  mqttSourceBackoffMsMin: 500,
  mqttSourceBackoffMsMax: 30_000,
  /** Waits between offers to a log that refuses. */
  mqttSourceOfferBackoffMsMin: 50,
  mqttSourceOfferBackoffMsMax: 2_000,
  /** A stop waits so long for the log to take what was received, and as long again for the goodbye. */
  mqttSourceStopMs: 1_000,
  /** `mqtt-sources.json`. */
  mqttSourcesFileBytesMax: 256 * KIB,

  ...forwarderLimits,
  ...anomalyLimits,
  ...serialLimits,
  ...applianceLimits,

  // Admin HTTP
  ...adminLimits,
  /** A line of standard input that `produce` reads as one record. */
  produceLineBytesMax: 900 * KIB,
  /** `status --watch`: seconds between two looks. */
  watchSecondsDefault: 2,
  watchSecondsMax: 86_400,
  /** Topics that a status shows; the others it counts. */
  statusTopicsMax: 8,
  /** Rates are of so many looks at most. */
  statusRateLooksMax: 15,
  /** From here on a status says that the disk budget will not do, or that the card is to be replaced. */
  budgetWarningShare: 0.95,
  cardWarningShare: 0.9,
  /** A certificate is told to be renewed so long before its end. */
  certificateWarningMs: 30 * 24 * 3600 * 1000,
  /** Durable writes that the doctor measures, and how long that may take; a median above the last is told as slow. */
  doctorFlushes: 50,
  doctorFlushTotalMsMax: 5_000,
  doctorFlushMsMax: 50,
  /** What DNS has to answer the doctor for one name: resolvers try each server for 5 s. */
  doctorNameMsMax: 10_000,
  /** How often a progress bar is drawn. */
  progressIntervalMs: 200,
  /** Findings of each kind that `headwater verify` lists; the rest it counts. */
  verifyFindingsMax: 10_000,
  /** What is read of an answer to a question of the command line. */
  answerLengthMax: 1024,

  // Service log
  /** Lines of one level that one part writes in an interval, and those of them with the same message. */
  logLinesMax: 100,
  logSameLinesMax: 20,
  logIntervalMs: 3_600_000,
  /** Lines that cannot be written, because the disk is full: more are left out. */
  logUnwrittenBytesMax: 64 * KIB,

  // Lifecycle
  ...serviceLimits,
  configFileBytesMax: 1 * MIB,
  ...supportLimits,
  /** What `backup` writes and `restore` reads. */
  backupBytesMax: 4 * MIB,
  /** What a restored data folder says of the log before its own. */
  parentLogBytesMax: 4 * KIB,
  /** A name, a moment, a version or an id in a backup. */
  backupWordLengthMax: 256,
  /** Mappings and lists inside each other; the settings need four. */
  configNestingMax: 16,
  configProblemsShownMax: 50,
  /** A DNS label's length: room for the rest of `{gateway}.{topic}`. */
  gatewayNameLengthMax: 63,
  stopTimeoutMs: 10_000,
  /** With a part stuck after that, the time left to say why the process ends. */
  stuckExitMs: 500,
  /** Between two samples of the event loop's delay. */
  eventLoopSampleMs: 20,
} as const;
