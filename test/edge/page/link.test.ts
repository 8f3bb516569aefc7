import { describe, expect, test } from 'vitest';
import { linkView } from '../../../src/edge/page/link.js';
import type { ForwarderStatus } from '../../../src/forwarder/progress/status.ts';
import { drainingForwarder } from '../../support/forwarder-status.ts';

const view = (more: Partial<ForwarderStatus> = {}) => linkView({ ...drainingForwarder(), ...more });
const fact = (name: string, more: Partial<ForwarderStatus> = {}) =>
  view(more).facts.find(([called]) => called === name)?.[1];

describe('what left', () => {
  test('says plainly that there is no cluster', () => {
    expect(linkView(null)).toMatchObject({
      tone: 'idle',
      state: 'no cluster',
      headline: expect.stringContaining('nothing is sent'),
    });
  });

  test('has what waits, how fast it goes, when it is gone and what was last acknowledged', () => {
    expect(view()).toMatchObject({
      tone: 'ok',
      state: 'sending',
      headline: 'Sending, 120007 records to go.',
    });
    expect(fact('Waiting')).toBe('120,007 records, about 14.2 MB, the oldest for 2 h 3 min');
    expect(fact('Goodput')).toBe('512 records/s, 15.4 kB/s');
    expect(fact('Backlog gone in')).toBe('about 4 min at this rate');
    expect(fact('Last acknowledged')).toBe('3 s ago');
    expect(fact('Last error')).toBe('the link was cut');
    expect(fact('Tried again')).toContain('12 × unreachable (refused)');
  });

  test('is never good only because there is a connection, and never red', () => {
    const states = ['connecting', 'opening', 'idle', 'sending', 'backing-off', 'resting', 'stopped'] as const;
    for (const state of states) {
      const { tone, state: word } = view({ state, isStale: true });
      expect([tone, word]).toEqual(['warn', 'nothing arrives']);
      expect(['ok', 'idle', 'warn']).toContain(view({ state }).tone);
    }
    expect(view({ state: 'connecting' }).tone).toBe('idle');
    expect(view({ state: 'idle', lagRecords: 0, secondsSinceAcknowledged: null })).toMatchObject({
      tone: 'idle',
      state: 'nothing sent yet',
    });
    expect(view({ state: 'idle', lagRecords: 0 })).toMatchObject({ tone: 'ok', state: 'all arrived' });
    expect(JSON.stringify(states.map((state) => view({ state })))).not.toMatch(/\bconnected\b/i);
  });

  test('says that it cannot know when a backlog is gone', () => {
    expect(fact('Backlog gone in', { drain: { state: 'never', secondsLeft: null } })).toContain('never');
    expect(fact('Backlog gone in', { drain: { state: 'unknown', secondsLeft: null } })).toContain(
      'not known',
    );
  });
});
