import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Failure, FailureKind } from '../../src/forwarder/cluster/target.ts';
import type { Checkpoint, CheckpointCopy, Position } from '../../src/forwarder/mirror/checkpoint.ts';
import type { DoubtfulRange } from '../../src/forwarder/mirror/doubtful.ts';
import { step } from '../../src/forwarder/mirror/mirror.ts';
import { initialState } from '../../src/forwarder/mirror/mirror-state.ts';
import type { MirrorCommand, MirrorEvent, PartitionCopy } from '../../src/forwarder/mirror/mirror-steps.ts';
import type { Aside, Pause, ReadPosition } from '../../src/forwarder/mirror/objections.ts';
import type { OnCheckpointLost } from '../../src/forwarder/mirror/resume.ts';
import type { LifeStart } from '../../src/log/types.ts';

/*
 * Transcripts of the state machine: `>` lines are events in the notation below, `<` lines the commands that must
 * follow, `#` lines say why. `> begin <linger>` starts afresh. Run with UPDATE_GOLDEN=1 and read the difference.
 *
 *   checkpoints readings/0 0..5 lives=A@0 next=3 sent=A@0 | …     log start..high watermark, checkpoint
 *   read readings/0 0..5 lives=A@0 | … [backlog]                  records from..to
 *     … ancestor=next, copy=<cluster>:<next>[-<sendingTo>] what the gateway remembers, with the lives sent
 *   log-start-moved readings/0 5..9 | gaps/0 0..1                where the log begins and ends now
 *     … elsewhere                                                 the other lane mirrors it
 *     … told=1                                                    so far the other lane has confirmed gaps
 *   failed <kind> [after <s> s]                                   jitter is 0.5 throughout; time passes by sleeping
 *     … bad readings/0 0..9 at=4                                  a batch is refused because of this record
 *     … topic readings                                            a topic is refused
 *     … unwell readings/0                                         a partition cannot be written to
 *     … aside=4-5                                                 what the journal says is passed
 */
const folder = join(import.meta.dirname, '../golden/mirror');
const jitter = 0.5;

test.each(readdirSync(folder))('the mirror acts as written in %s', (file) => {
  const path = join(folder, file);
  const written = readFileSync(path, 'utf8');
  const played = play(written);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, played);
  expect(played).toBe(process.env['UPDATE_GOLDEN'] === '1' ? played : written);
});

function play(transcript: string): string {
  let state = initialState(0, 'resume');
  let atMs = 0;
  const lines: string[] = [];
  for (const line of transcript.split('\n')) {
    if (line.startsWith('<')) continue;
    lines.push(line);
    if (!line.startsWith('> ')) continue;
    const [word, ...rest] = line.slice(2).split(' ');
    if (word === 'begin') {
      state = initialState(Number(rest[0] ?? 0), (rest[1] ?? 'resume') as OnCheckpointLost);
      continue;
    }
    const before = state;
    const after = step(state, parseEvent(word ?? '', rest.join(' '), atMs));
    state = after.state;
    for (const command of after.commands) {
      lines.push(`< ${describe(command)}`);
      if (command.type === 'sleep') atMs += command.ms;
    }
    if (after.commands.some(({ type }) => type === 'stop') && state.failure !== null)
      lines.push(`< because ${state.failure.message}`);
    if (state.warning !== before.warning) lines.push(`< warning: ${state.warning}`);
  }
  return lines.join('\n');
}

function parseEvent(word: string, rest: string, atMs: number): MirrorEvent {
  switch (word) {
    case 'checkpoints':
      return {
        type: 'checkpoints',
        clusterId: 'here',
        partitions: parts(rest)
          .filter((part) => !isElsewhere(part))
          .map(parseResumed),
        others: parts(rest).filter(isElsewhere).map(parseResumed),
        ledger: parseLedger(rest),
      };
    case 'read': {
      const backlog = rest.endsWith(' backlog');
      return { type: 'read', ranges: parts(rest.replace(/ backlog$/, '')).map(parseRange), backlog };
    }
    case 'log-start-moved':
      return { type: word, partitions: parts(rest).map(parseInfo), ledger: parseLedger(rest) };
    case 'failed':
      return { type: 'failed', atMs, jitter, ...parseFailed(rest) };
    case 'committed':
      return { type: 'committed', elapsedMs: 0 };
    case 'aborted':
      return { type: word, atMs, jitter };
    case 'set-aside':
      return { type: word, jitter };
    case 'start':
    case 'opened':
    case 'reassigned':
    case 'new-partition':
    case 'rest-due':
    case 'rested':
    case 'pause-over':
    case 'minted':
    case 'told':
    case 'remembered':
    case 'overtaken':
    case 'sent':
    case 'wrote':
    case 'woke':
    case 'stop':
      return { type: word };
    default:
      throw new Error(`no such event: ${word}`);
  }
}

function parseFailed(text: string): { readonly failure: Failure; readonly elapsedMs: number } {
  const [, what = '', seconds = '0'] = /^(.*?)(?: after (\d+) s)?$/.exec(text) ?? [];
  return { failure: parseFailure(what), elapsedMs: Number(seconds) * 1000 };
}

function parseFailure(text: string): Failure {
  const [kind, what, ...rest] = text.split(' ');
  const failure = { kind: kind as FailureKind, message: `the ${kind} failure` };
  if (what === undefined) return failure;
  if (what === 'topic')
    return { ...failure, objections: [{ topic: rest[0] ?? '', partition: null, message: failure.message }] };
  const { topic, partition, from: fromOffset, to: nextOffset, settings } = parsePart(rest.join(' '));
  if (what === 'unwell') {
    const said = { verdict: 'unwell' as const, cause: 'UNWELL', batch: null, message: failure.message };
    return { ...failure, objections: [{ topic, partition, ...said }] };
  }
  const range = { fromOffset, nextOffset, recordCount: nextOffset - fromOffset };
  const batch = { ...range, badOffsets: [Number(settings.get('at'))] };
  const said = { verdict: 'bad' as const, cause: 'BAD', message: failure.message };
  return { ...failure, objections: [{ topic, partition, batch, ...said }] };
}

function parseAsides(text: string | undefined, topic: string, partition: number): Aside[] {
  const [fromOffset, nextOffset] = (text ?? '').split('-').map(Number);
  return nextOffset === undefined ? [] : [{ topic, partition, fromOffset: fromOffset ?? 0, nextOffset }];
}

const isElsewhere = (part: string): boolean => part.endsWith(' elsewhere');

const parseLedger = (text: string): Position[] =>
  parts(text).flatMap((part) => {
    const { topic, partition, settings } = parsePart(part);
    const told = settings.get('told');
    return told === undefined ? [] : [{ topic, partition, nextOffset: Number(told), lives: [] }];
  });

const parts = (text: string): string[] => (text === '' ? [] : text.split(' | '));

function parseResumed(text: string) {
  const { topic, partition, from, to, settings } = parsePart(text);
  const next = settings.get('next');
  const lives = parseLives(settings.get('sent'));
  return {
    topic,
    partition,
    logStartOffset: from,
    highWatermark: to,
    lives: parseLives(settings.get('lives')),
    own: next === undefined ? null : { nextOffset: Number(next), lives },
    ancestors: parseAncestors(settings.get('ancestor'), lives),
    copy: parseCopy(settings.get('copy'), lives),
    asides: parseAsides(settings.get('aside'), topic, partition),
  };
}

function parseInfo(text: string) {
  const { topic, partition, from, to } = parsePart(text);
  return { topic, partition, logStartOffset: from, highWatermark: to };
}

const parseAncestors = (next: string | undefined, lives: readonly LifeStart[]): Checkpoint[] =>
  next === undefined ? [] : [{ nextOffset: Number(next), lives }];

function parseCopy(text: string | undefined, lives: readonly LifeStart[]): CheckpointCopy | null {
  const match = /^(\w+):(\d+)(?:-(\d+))?$/.exec(text ?? '');
  if (match === null) return null;
  const [, clusterId = '', next, sendingTo] = match;
  return { clusterId, nextOffset: Number(next), lives, sendingTo: sendingTo ? Number(sendingTo) : null };
}

function parseRange(text: string) {
  const { topic, partition, from, to, settings } = parsePart(text);
  return {
    topic,
    partition,
    fromOffset: from,
    nextOffset: to,
    lives: parseLives(settings.get('lives')),
  };
}

function parsePart(text: string) {
  const [name = '', range = '', ...settings] = text.split(' ');
  const [topic = '', partition] = name.split('/');
  const [from, to] = range.split('..').map(Number);
  return {
    topic,
    partition: Number(partition),
    from: from ?? 0,
    to: to ?? 0,
    settings: new Map(settings.map((setting) => setting.split('=') as [string, string])),
  };
}

const parseLives = (text = ''): LifeStart[] =>
  text === ''
    ? []
    : text.split(',').map((one) => {
        const [life = '', firstOffset] = one.split('@');
        return { life, firstOffset: Number(firstOffset) };
      });

function describe(command: MirrorCommand): string {
  switch (command.type) {
    case 'read':
      return `read ${command.positions.map(describePosition).join(' ')}`.trim();
    case 'open':
      return `open ${command.pauses.map(describePause).join(' ')}`.trim();
    case 'set-aside':
      return `set-aside ${command.ranges.map(({ topic, partition, fromOffset, nextOffset, cause }) => `${topic}/${partition} ${fromOffset}..${nextOffset} ${cause}`).join(' | ')}`;
    case 'send':
      return `send ${command.checkpoints.map(describeCheckpoint).join(' | ')}`;
    case 'mint':
      return `mint ${command.life} ${command.doubtful.map(describeDoubtful).join(' | ')}`.trim();
    case 'tell':
      return `tell ${command.doubtful.map(describeDoubtful).join(' | ')} and remember ${command.copies.map(describeCopy).join(' | ')}`;
    case 'remember':
      return `remember ${command.copies.map(describeCopy).join(' | ')}`;
    case 'sleep':
      return `sleep ${command.ms}`;
    default:
      return command.type;
  }
}

const describePause = ({ topic, partition }: Pause): string =>
  `without ${topic}${partition === null ? '' : `/${partition}`}`;

const describeDoubtful = ({ topic, partition, fromOffset, nextOffset }: DoubtfulRange): string =>
  `${topic}/${partition} ${fromOffset}..${nextOffset}`;

const describePosition = ({ topic, partition, nextOffset, untilOffset }: ReadPosition): string =>
  `${topic}/${partition}@${nextOffset}${untilOffset === null ? '' : `-${untilOffset}`}`;

const describeCopy = ({ topic, partition, clusterId, nextOffset, sendingTo }: PartitionCopy): string =>
  `${topic}/${partition}=${clusterId}:${nextOffset}${sendingTo === null ? '' : `-${sendingTo}`}`;

const describeCheckpoint = ({ topic, partition, nextOffset, lives }: Position): string =>
  `${topic}/${partition} next=${nextOffset} sent=${lives.map(({ life, firstOffset }) => `${life}@${firstOffset}`).join(',')}`;
