/**
 * Every metric of the product: one row each. `/metrics`, the documentation and the tests read this table; code can
 * only use what is in it. Names follow Prometheus: base unit last, `_total` for counters.
 */
export const metricRows = {
  headwater_records_accepted_total: row('counter', 'Records made durable, by source.', ['source']),
  headwater_records_refused_total: row('counter', 'Records refused before acknowledgement, by reason.', [
    'reason',
  ]),
  headwater_commits_total: row('counter', 'Commits of the journal.'),
  headwater_commit_bytes_total: row('counter', 'Bytes written by commits, padding included.'),
  headwater_commit_seconds: row('histogram', 'Time of one write and sync of the journal.'),
  headwater_journal_recoveries_total: row(
    'counter',
    'Recoveries within a run, after a failed write or sync.',
  ),
  headwater_journal_files: row('gauge', 'Files of the journal, the spare one not counted.'),
  headwater_healthy: row(
    'gauge',
    '1 if the watchdog is content: commits complete, or readings are refused for a reason that a restart would not mend.',
  ),
  headwater_sealed_journal_files_total: row(
    'counter',
    'Journal files whose records were moved into segments.',
  ),
  headwater_seal_seconds: row('histogram', 'Time of moving some journal files into segments.'),
  headwater_segments: row('gauge', 'Segments in the catalog.'),
  headwater_segment_bytes: row('gauge', 'Bytes of the segments in the catalog.'),
  headwater_data_bytes: row(
    'gauge',
    'What the data folder takes on the disk, what sealing may be writing included.',
  ),
  headwater_data_budget_bytes: row('gauge', 'What the data folder may take on the disk.'),
  headwater_data_free_bytes: row(
    'gauge',
    'What the file system under the data folder has free; NaN if it does not say.',
  ),
  headwater_clock_set: row('gauge', '1 if the wall clock is known to be right.'),
  headwater_clock_epochs_total: row(
    'counter',
    'How often the wall clock was found to be set anew in this run.',
  ),
  headwater_records_lost_total: row(
    'counter',
    'Records lost that the cluster does not have, by reason; the topic gaps says which.',
    ['reason'],
  ),
  headwater_records_doubtful_total: row(
    'counter',
    'Records that may arrive twice, because it is not certain what has arrived; the topic gaps says which.',
  ),
  headwater_mqtt_slowed_total: row(
    'counter',
    'MQTT connections that published faster than mqtt.limits.messagesPerSecond and were held back.',
  ),
  headwater_mqtt_unrouted_total: row(
    'counter',
    'MQTT messages that went to the topic readings although there are routes, by reason.',
    ['reason'],
  ),
  headwater_mqtt_device_times_refused_total: row(
    'counter',
    "MQTT messages with the gateway's time, because that of the device did not count, by reason.",
    ['reason'],
  ),
  headwater_config_reloads_total: row(
    'counter',
    'How often the configuration was read again: applied, unchanged (nothing that counts at once), or refused.',
    ['outcome'],
  ),
  headwater_disk_syncs_total: row(
    'counter',
    'Syncs asked of the disk: fdatasync of files, fsync of folders.',
    ['kind'],
  ),
  headwater_payload_bytes_total: row('counter', 'Key, value and header bytes of the records made durable.'),
  headwater_device_bytes_written_total: row(
    'counter',
    'Bytes given to the device in this run, in whole blocks, by kind of file; those of metadata are an estimate.',
    ['kind'],
  ),
  headwater_device_bytes_per_payload_byte: row(
    'gauge',
    'Bytes given to the device for each byte of payload, over all runs; NaN before the first megabyte of payload.',
  ),
  headwater_card_endurance_used_ratio: row(
    'gauge',
    'Bytes given to the device in all runs, as a share of data.endurance: an estimate.',
  ),
  headwater_card_years_left: row(
    'gauge',
    'Years until data.endurance is used up at the rate of the last day: an estimate; NaN in the first hour of a run.',
  ),
  headwater_storage_device_bytes_written_total: row(
    'counter',
    'What the operating system counts on the device under the data in this run, of all that write to it.',
    ['device'],
  ),
  headwater_storage_device_life_used_ratio: row(
    'gauge',
    'How much of its life an eMMC says is used up at most, in tenths.',
    ['device'],
  ),
  headwater_log_available: row('gauge', '1 while the log can make records durable, else 0.'),
  headwater_high_watermark: row('gauge', 'Durable end of a partition.', ['topic', 'partition']),
  headwater_mqtt_connections: row('gauge', 'MQTT clients connected now, by listener: mqtt, mqtts, ws, wss.', [
    'listener',
  ]),
  headwater_mqtt_connections_refused_total: row('counter', 'MQTT connections refused or cut, by reason.', [
    'reason',
  ]),
  headwater_mqtt_subscriptions_refused_total: row(
    'counter',
    'Subscriptions refused because the client has no right to them.',
  ),
  headwater_mqtt_sessions: row('gauge', 'MQTT sessions that outlast their connections.'),
  headwater_mqtt_queued: row(
    'gauge',
    'MQTT messages that subscribers have not acknowledged yet, or not come for.',
  ),
  headwater_mqtt_retained: row('gauge', 'Retained MQTT messages.'),
  headwater_mqtt_given_up_total: row(
    'counter',
    'What a limit of MQTT made be given up: messages for a subscriber, sessions, retained messages, wills.',
    ['what'],
  ),
  headwater_mqtt_store_failures_total: row('counter', 'Failed writes of the MQTT sessions.'),
  headwater_mqtt_acknowledge_seconds: row(
    'histogram',
    'From reading a message with QoS 1 or 2 until it is durable and its acknowledgement may go out.',
  ),
  headwater_certificate_expiry_timestamp_seconds: row(
    'gauge',
    'When the certificate of a port ends, in seconds since 1970, by port: mqtt is that of all MQTT ports with TLS.',
    ['port'],
  ),
  headwater_users: row('gauge', 'Users who may log in to the MQTT port.'),
  headwater_mqtt_duplicates_total: row(
    'counter',
    'QoS 2 messages sent again that were stored already: acknowledged, not stored twice.',
  ),
  headwater_qos2_open_ids: row('gauge', 'QoS 2 packet ids that devices have not released yet.'),
  headwater_qos2_clients_forgotten_total: row(
    'counter',
    'Clients whose open QoS 2 ids were given up because there were too many in all.',
  ),
  headwater_mqtt_pending_bytes: row('gauge', 'Bytes of MQTT packets that are read but not yet answered.'),
  headwater_mqtt_source_connected: row('gauge', '1 while the source is subscribed at its broker, else 0.', [
    'source',
  ]),
  headwater_mqtt_source_messages_total: row(
    'counter',
    'Messages that a broker has sent, those it has sent again included.',
    ['source'],
  ),
  headwater_mqtt_source_unanswered: row(
    'gauge',
    'Packets of a broker that are received and not yet answered.',
    ['source'],
  ),
  headwater_mqtt_source_lag_seconds: row(
    'gauge',
    'How long the oldest of them has waited for its commit; 0 if there is none.',
    ['source'],
  ),
  headwater_mqtt_source_reconnects_total: row(
    'counter',
    'Connections to a broker that failed or ended, by cause.',
    ['source', 'cause'],
  ),
  headwater_mqtt_source_sessions_lost_total: row(
    'counter',
    'How often a broker no longer knew our session, with what it had queued.',
    ['source'],
  ),
  headwater_mqtt_source_dead_letters_total: row(
    'counter',
    'Messages of a broker that cannot be records, kept in the topic dead-letters, by reason.',
    ['source', 'reason'],
  ),
  headwater_serial_open: row('gauge', '1 while the serial port is open, else 0.', ['port']),
  headwater_serial_stalled: row(
    'gauge',
    '1 while the serial port is open and has given nothing for serial.stalledAfter, else 0.',
    ['port'],
  ),
  headwater_serial_commands_total: row('counter', 'Commands to a serial port by outcome: sent, failed.', [
    'port',
    'outcome',
  ]),
  headwater_serial_frames_total: row('counter', 'Frames of a serial port, good and bad.', ['port']),
  headwater_serial_dead_letters_total: row(
    'counter',
    'Bad frames of a serial port by reason, kept in the topic dead-letters but for those left out.',
    ['port', 'reason'],
  ),
  headwater_serial_dead_letters_left_out_total: row(
    'counter',
    'Bad frames of a serial port that were only counted, because so many were kept in that hour.',
    ['port'],
  ),
  headwater_serial_dropped_total: row(
    'counter',
    'Records of a serial port dropped because the log refused for too long.',
    ['port'],
  ),
  headwater_modbus_open: row('gauge', '1 while the bus is open, else 0.', ['bus']),
  headwater_modbus_requests_total: row('counter', 'Requests to the units of a bus, repeated ones included.', [
    'bus',
  ]),
  headwater_modbus_polls_total: row('counter', 'Polls of a unit that are over, silent ones included.', [
    'unit',
  ]),
  headwater_modbus_unit_answering: row('gauge', '1 if the unit has answered its last poll, else 0.', [
    'unit',
  ]),
  headwater_modbus_register_failures_total: row(
    'counter',
    'How often a register had no value when it was asked for, by reason: exception-N, timeout, garbled, wrong-length, not-a-number.',
    ['unit', 'register', 'reason'],
  ),
  headwater_modbus_dropped_total: row(
    'counter',
    'Records of a bus dropped because the log refused for too long.',
    ['bus'],
  ),
  headwater_forwarder_records_total: row(
    'counter',
    'Records that the cluster has acknowledged, each once however often it was sent.',
  ),
  headwater_forwarder_bytes_total: row('counter', 'Their record batches as they were sent, compressed.'),
  headwater_forwarder_link_bytes_written_total: row(
    'counter',
    'All that went to the sockets, also what was sent again; without what TLS, TCP and IP add.',
  ),
  headwater_forwarder_retries_total: row('counter', 'What had to be tried again, by kind and cause.', [
    'kind',
    'cause',
  ]),
  headwater_forwarder_transactions_total: row('counter', 'Kafka transactions, by outcome.', ['outcome']),
  headwater_forwarder_transaction_seconds: row(
    'histogram',
    'From reading records out of the log until the cluster has acknowledged the transaction with them.',
  ),
  headwater_forwarder_lag_records: row(
    'gauge',
    'Durable records that the cluster has not acknowledged yet.',
    ['topic'],
  ),
  headwater_forwarder_lag_bytes: row(
    'gauge',
    'What these records take in the log, as they are stored: an estimate.',
    ['topic'],
  ),
  headwater_forwarder_lag_seconds: row(
    'gauge',
    'Age of the oldest record that is not acknowledged yet; 0 if there is none.',
    ['topic'],
  ),
  headwater_forwarder_goodput_records_per_second: row(
    'gauge',
    'Records acknowledged a second, over the last five minutes.',
  ),
  headwater_forwarder_goodput_bytes_per_second: row(
    'gauge',
    'Bytes acknowledged a second, over the last five minutes.',
  ),
  headwater_forwarder_arriving_records_per_second: row(
    'gauge',
    'New records of mirrored topics a second, over the last five minutes.',
  ),
  headwater_forwarder_drain_seconds: row(
    'gauge',
    'Until no backlog is left at the present rate: 0 without one, +Inf if never, NaN while nobody knows.',
  ),
  headwater_forwarder_day_bytes: row(
    'gauge',
    'What went to the sockets in the last 24 hours, or since the start of the run.',
  ),
  headwater_forwarder_stale: row(
    'gauge',
    '1 if records wait and nothing was acknowledged for two minutes, else 0.',
  ),
  headwater_forwarder_last_error_timestamp_seconds: row(
    'gauge',
    'When the mirror last met an error; 0 if it has not in this run. The status says which.',
  ),
  headwater_forwarder_last_acknowledged_timestamp_seconds: row(
    'gauge',
    'When the cluster last acknowledged a transaction; 0 if it has not in this run.',
  ),
  headwater_forwarder_link_budget_bytes: row('gauge', '`forwarder.bytesPerDay`; missing without it.'),
  headwater_forwarder_link_spent_bytes: row(
    'gauge',
    'What counts as spent of that today, in both directions; after a crash what may have been spent.',
  ),
  headwater_forwarder_bulk_rests: row(
    'gauge',
    '1 while bulk waits because the configuration wants it, by reason: hours, budget, or clock (not set yet).',
    ['reason'],
  ),
  headwater_forwarder_bulk_rest_seconds: row(
    'gauge',
    'How long it still does: 0 if it may send, NaN if nobody knows.',
  ),
  headwater_anomaly_series: row('gauge', 'Series that detection knows.'),
  headwater_anomaly_series_evicted_total: row(
    'counter',
    'Series that were forgotten because there are more than anomaly.seriesMax.',
  ),
  headwater_anomaly_readings_total: row(
    'counter',
    'Readings that detectors have judged or learned again after a start.',
  ),
  headwater_anomaly_lag_records: row('gauge', 'Durable records that detection has not looked at yet.'),
  headwater_anomaly_state_bytes_total: row('counter', 'Bytes of detector states that were saved.'),
  headwater_anomaly_model_verdicts_refused_total: row(
    'counter',
    'Verdicts of other models that could not be read.',
  ),
  headwater_alerts_raised_total: row('counter', 'Alerts that were raised, by kind.', ['kind']),
  headwater_alerts_open: row(
    'gauge',
    'Alerts that are raised and not cleared, those on the shelf left out, by severity: low, medium, high (from 600 on), urgent (from 800 on).',
    ['severity'],
  ),
  headwater_alerts_unacknowledged: row('gauge', 'Of these, how many nobody has acknowledged.'),
  headwater_alerts_shelved: row('gauge', 'Kinds of alerts of series that are shelved.'),
  headwater_alerts_pending: row('gauge', 'Alerts that wait for their on-delay.'),
  headwater_alerts_held_back: row(
    'gauge',
    'Findings that no alert was made of in the present flood, because too many are open; 0 without one.',
  ),
  headwater_build_info: row('gauge', 'Always 1; the labels say which release runs on which Node.', [
    'version',
    'node',
  ]),
  headwater_start_time_seconds: row(
    'gauge',
    'When this run began, by the wall clock as it is now, in seconds since 1970.',
  ),
  headwater_memory_bytes: row(
    'gauge',
    'Memory of the process, by kind: resident is all of it; heap_used, heap_total, external and array_buffers are of the main thread.',
    ['kind'],
  ),
  headwater_cpu_seconds_total: row('counter', 'CPU time of all threads, by mode: user, system.', ['mode']),
  headwater_event_loop_active_seconds_total: row(
    'counter',
    'How long the event loop of the main thread had something to do.',
  ),
  headwater_event_loop_delay_seconds: row(
    'histogram',
    'How late a timer was on the main thread, tried fifty times a second.',
  ),
} as const;

export type MetricName = keyof typeof metricRows;

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export type MetricLabels = Readonly<Record<string, string | number>>;

/** Where code reports its numbers. */
export interface Metrics {
  /** Adds to a counter. */
  add(name: MetricName, by: number, labels?: MetricLabels): void;
  /** Sets a gauge. */
  set(name: MetricName, value: number, labels?: MetricLabels): void;
  /** Enters a value (in the unit of the name) into a histogram. */
  observe(name: MetricName, value: number, labels?: MetricLabels): void;
}

/**
 * Shows a counter at 0 for each of the values that a label may have. One that appeared with its first event would hide that
 * event: to Prometheus, what begins at 5 has not increased.
 */
export function countFromZero(
  metrics: Metrics,
  name: MetricName,
  label: string,
  values: readonly string[],
  others: MetricLabels = {},
): void {
  for (const value of values) metrics.add(name, 0, { ...others, [label]: value });
}

/** For tests and tools that keep no numbers. */
export const noMetrics: Metrics = { add() {}, set() {}, observe() {} };

function row(type: MetricRow['type'], help: string, labels: readonly string[] = []): MetricRow {
  return { type, help, labels };
}
