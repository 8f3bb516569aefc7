import { KIB, MIB } from './sizes.ts';

/** Those rows of `limits` that are about the mirror. */
export const forwarderLimits = {
  /** One batch as sent: Kafka's default `max.message.bytes` is 1,048,588. */
  forwardBatchBytesMax: 960 * KIB,
  /** A batch up to this is compressed on the event loop, in about 0.1 ms: a thread takes twice that to hand it over. */
  compressedInPlaceBytesMax: 16 * KIB,
  /** What of a partition is read and decoded at a time, as it is stored, where all is decoded: so long everybody else waits. */
  decodedPieceBytesMax: 64 * KIB,
  /** Batches of one transaction as they are held and sent: the bounds, and what the first one of a run takes. */
  transactionBytesMax: 8 * MIB,
  transactionBytesMin: 16 * KIB,
  transactionBytesFirst: 256 * KIB,
  /** By so much it grows where it has failed before. */
  transactionBytesStep: 64 * KIB,
  /** A transaction grows until it takes so long, and is cut to that when it takes longer than the second. */
  transactionMsWanted: 5_000,
  transactionMsMax: 10_000,
  /** How many times as much the next transaction may take, while each is far quicker than wanted. */
  transactionGrowthMax: 4,
  /** No request of it is begun after so long: the last one is answered, and it is aborted, before the cluster would end it. */
  transactionSendMsMax: 25_000,
  /** `forwarder.bytesPerSecond`: a transaction of the wanted time holds a sealed batch of the usual size. */
  linkBytesPerSecondMin: 16 * KIB,
  linkBytesPerSecondMax: 1024 * MIB,
  /** `forwarder.bytesPerDay`: the least holds some session starts, and something to send. */
  linkBytesPerDayMin: 1 * MIB,
  linkBytesPerDayMax: 1024 * 1024 * MIB,
  /** `forwarder.hours`. */
  linkHourSpansMax: 24,
  /** What a session start counts before it is known what it costs: the checkpoints as they are kept, read once; later twice what the last one cost. */
  linkSessionBytesFirst: 256 * KIB,
  linkSessionBytesMin: 32 * KIB,
  /** What goes with the records of a transaction: checkpoints, headers and answers. */
  linkOverheadBytes: 16 * KIB,
  /** A wall clock that was set is noticed after so long, where something waits for the time of day. */
  linkLookMs: 60_000,
  /** `forwarder.create.replication`: more copies than any cluster is asked for. */
  centralReplicationMax: 16,
  /** Batches of several partitions share a request up to this size, so that none takes too long on a slow link. */
  produceRequestBytesMax: 1 * MIB,
  /** Produce requests to one broker that are not answered yet; Kafka remembers the last five batches of a producer. */
  produceRequestsMax: 5,
  /** On however slow a link, so much may go at once. */
  bulkRequestBytesMin: 66 * KIB,
  /** What bulk may have queued on the link, before the time of a round trip: an alarm waits for it once. */
  bulkQueueMsWanted: 500,
  /** Answers and round trips that say how fast the link is; of smaller requests the first say nothing. */
  linkAnswersLookedAt: 8,
  linkRoundTripsLookedAt: 16,
  linkSampleBytesMin: 16 * KIB,
  /** Bulk begins no request while alarms have a transaction in hand, but for no longer than this at a time. */
  alarmYieldMsMax: 3_000,
  /** How long the first new record of the lane alarm waits for others, whatever `forwarder.lingerMs` says. */
  alarmLingerMsMax: 50,
  transactionTimeoutMs: 60_000,
  kafkaRequestTimeoutMs: 30_000,
  kafkaConnectTimeoutMs: 10_000,
  /**
   * After so long without traffic the kernel asks the broker whether it is there, then ten times a second apart; a router in
   * between does not forget the connection meanwhile. An alarm that comes hours later must not find it dead.
   */
  kafkaKeepAliveMs: 60_000,
  forwardBackoffMsMin: 200,
  forwardBackoffMsMax: 30_000,
  lingerMsMax: 60_000,
  /** Another gateway runs with our identity: taking it back at once would only make both stand still. */
  fencedBackoffMs: 60_000,
  /** A login that was refused may be refused again, and some directories lock an account after a few of them. */
  loginBackoffMs: 30_000,
  /** A coordinator that is busy with our last transaction is asked again so soon and so often. */
  busyDelayMsMin: 2,
  busyDelayMsMax: 20,
  busyRepeatsMax: 200,
  /** A partition without a leader is looked at again so often before that is a failure: a topic that was just made has none yet. */
  leaderRepeatsMax: 5,
  /** It is left out once it could not be written to for so long: a leader that moves takes less. Until then, looks are no further apart than the second. */
  suspicionMs: 6_000,
  suspicionBackoffMsMax: 1_000,
  /** The suspicion ends when nothing was held against it for so long. */
  suspicionKeptMs: 300_000,
  /** A batch that was refused so often, though it might have passed by itself, is treated as bad. */
  doubtfulRefusalsMax: 3,
  /** Records of a partition that are set aside in a row on such grounds; then it must be the broker. */
  doubtfulAsidesMax: 3,
  /** Offsets of one partition at which batches are cut to find the guilty record. */
  batchCutsMax: 64,
  /** Ranges of one partition that are set aside and not passed yet. */
  asideRangesMax: 64,
  /** What the cluster refuses as such, a topic or a partition, is tried again after so long. */
  pauseMs: 120_000,
  /** Another open transaction hides the checkpoint: look again so soon and so often, and tell of it once one of our other lane is over. */
  hiddenDelayMs: 1_000,
  hiddenQuietRepeats: 12,
  hiddenRepeatsMax: 60,
  /** One answer while the checkpoints are read: at first, and at most. Both lanes read, so the first takes a link of 1 kB/s 16 s. */
  checkpointFetchBytesMin: 8 * KIB,
  checkpointFetchBytesMax: 1 * MIB,
  /** An answer is to take so long, and the next one may be so many times as large. */
  checkpointFetchMsWanted: 5_000,
  checkpointFetchGrowthMax: 4,
  checkpointFetchWaitMs: 100,
  /** How long a stop waits for the transaction in flight before it cuts the connections. */
  forwarderStopMs: 4_000,
  /** Lives listed in a checkpoint record (design §6). */
  checkpointLivesMax: 8,
  /** Identities of a folder's past that are still read; older ones are covered by what the gateway remembers. */
  ancestorsMax: 16,
  /** What a save of the mirror's own state counts for each entry, besides its bytes. */
  memoOverheadBytes: 32,
  /** Partitions that a message names; a person needs no more to see what happened. */
  partitionsNamedMax: 5,
  brokersMax: 64,
  /** A CA bundle of a whole system is some 250 KB. */
  credentialFileBytesMax: 4 * MIB,
  /** What the other side may ask of SCRAM (RFC 7677 and Kafka: at least 4096); more would only keep the processor busy. */
  scramIterationsMin: 4096,
  scramIterationsMax: 1_000_000,
  /** Random bytes of ours in an exchange of SCRAM. */
  scramNonceBytes: 18,
  /** A login that ends is renewed, by a new connection, once so much of its time is used. */
  loginSessionUsedPercentMax: 80,
  /** Of what brokers and devices say, as messages quote it. */
  quotedAnswerLengthMax: 200,
  /** What was acknowledged in the last five minutes says how fast the mirror is: a transaction may take two of them. */
  goodputBucketMs: 5_000,
  goodputBuckets: 60,
  /** What was sent in the last 24 hours. */
  dayBucketMs: 900_000,
  dayBuckets: 96,
  /** Records that are older, with the linger, are a backlog: younger ones may be in the flush in hand. */
  backlogAgeMsMin: 10_000,
  /** While something waits, an acknowledgement is stale after so long: a transaction of full size on a slow link takes less. */
  acknowledgementStaleMs: 120_000,
  /** Messages about one outage in the service log; what is more than that is left to status and metrics. */
  outageMessagesMax: 32,
  /** Lines of the mirror about failures, in one interval. */
  mirrorNoticesMax: 20,
  mirrorNoticeIntervalMs: 3_600_000,
  /** How often the service log hears how the mirror does. */
  mirrorReportIntervalMs: 3_600_000,
  /** How long `headwater doctor kafka` waits for a connection, and for each answer. */
  doctorTimeoutMs: 5_000,
  /** A cluster that makes its first coordinator is asked again so soon and so often. */
  doctorRepeatMs: 200,
  doctorRepeatsMax: 25,
} as const;
