import type { CheckpointCopy } from './checkpoint.ts';
import { listed } from './listed.ts';
import type { OnCheckpointLost } from './resume.ts';

/** What happened to the checkpoints of these partitions, what is done about it, and which transaction is in doubt. */
export function describeLost(
  lost: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly copy: CheckpointCopy | null;
  }[],
  clusterId: string,
  onLost: OnCheckpointLost,
): string {
  const moved = lost.some(({ copy }) => copy?.clusterId !== clusterId);
  const what = moved
    ? `the cluster is another one (${clusterId}) than the one that confirmed the records sent so far`
    : 'the cluster no longer says what it had confirmed (its checkpoint topic was deleted or emptied)';
  const doubtful = lost.filter(({ copy }) => copy?.sendingTo !== null);
  const ranges = doubtful.map(
    ({ topic, partition, copy }) =>
      `${topic}-${partition} ${copy?.nextOffset}..${(copy?.sendingTo ?? 1) - 1}`,
  );
  const doubt =
    ranges.length === 0
      ? 'No transaction is in doubt'
      : `In doubt is the last transaction: ${listed(ranges)} may have arrived before`;
  const names = listed(lost.map(({ topic, partition }) => `${topic}-${partition}`));
  return `${what}. This concerns ${names}. ${reactions[onLost]}. ${doubt}`;
}

const reactions: Readonly<Record<OnCheckpointLost, string>> = {
  resume:
    'The mirror goes on where the gateway remembers to have stopped (forwarder.onCheckpointLost is resume; set it ' +
    'to resend to have all that is stored sent again)',
  resend: 'Everything stored is sent again (forwarder.onCheckpointLost is resend)',
  stop:
    'Nothing is sent (forwarder.onCheckpointLost is stop): set it to resume to go on where the gateway remembers to ' +
    'have stopped, or to resend to have all that is stored sent again, and start the gateway again',
};
