import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { readQos2Entry } from '../../src/log/state/entries.ts';
import { OpenQos2Ids, Qos2Plan } from '../../src/log/state/qos2-ids.ts';
import { LogState } from '../../src/log/state/state.ts';

const shown = (ids: OpenQos2Ids): [string, number[]][] =>
  [...ids.clients()].map((client) => [client, [...ids.of(client)]]);

/** As the journal does: plans a commit, then applies it. */
function commit(state: LogState, play: (plan: Qos2Plan) => void): Qos2Plan {
  const plan = new Qos2Plan(state.qos2Ids);
  play(plan);
  for (const entry of plan.entries) state.apply(entry, undefined, '1.2.3');
  return plan;
}

const step = fc.record({
  client: fc.constantFrom('a', 'b', 'ü', 'constructor'),
  packetId: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('once', 'once', 'release', 'release-all'),
});

describe('open QoS 2 ids', () => {
  test('are what a plain set says after each step, however the steps are split into commits', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 8 }), (commits) => {
        const state = new LogState();
        const model = new Set<string>();
        for (const steps of commits) {
          const plan = commit(state, (planned) => {
            for (const { client, packetId, kind } of steps) {
              const id = { client, packetId };
              const key = `${client}/${packetId}`;
              expect(planned.isOpen(id)).toBe(model.has(key));
              if (kind === 'release') {
                planned.release(id);
                model.delete(key);
              } else if (kind === 'release-all') {
                planned.releaseAll(client);
                for (const open of model) if (open.startsWith(`${client}/`)) model.delete(open);
              } else if (!planned.isOpen(id)) {
                planned.open(id);
                model.add(key);
              }
            }
          });
          expect(plan.forgotten).toEqual([]);
          const open = shown(state.qos2Ids).flatMap(([client, ids]) => ids.map((id) => `${client}/${id}`));
          expect(new Set(open)).toEqual(model);
          expect(state.qos2Ids.size).toBe(model.size);
        }
      }),
    );
  });

  test('are the same, in the same order, after a snapshot', () => {
    const state = new LogState();
    commit(state, (plan) => {
      for (const client of ['a', 'b', 'c', 'a', 'ü'])
        plan.open({ client, packetId: client === 'a' ? 65_535 : 1 });
      plan.open({ client: 'b', packetId: 2 });
      plan.release({ client: 'b', packetId: 1 });
    });
    const again = LogState.fromSnapshot(state.snapshot(), '1.2.3');
    expect(shown(again.qos2Ids)).toEqual(shown(state.qos2Ids));
    expect(shown(again.qos2Ids).map(([client]) => client)).toEqual(['c', 'a', 'ü', 'b']);
    expect(again.qos2Ids.size).toBe(4);
  });

  test('leave the snapshot when they are released', () => {
    const state = new LogState();
    const empty = state.snapshot();
    commit(state, (plan) => {
      for (const packetId of [1, 2, 3]) plan.open({ client: 'a', packetId });
      plan.open({ client: 'b', packetId: 1 });
    });
    commit(state, (plan) => {
      plan.releaseAll('a');
      plan.release({ client: 'b', packetId: 1 });
    });
    expect(state.snapshot()).toEqual(empty);
  });

  test('of the client silent longest are given up for new ones above the limit, never those of the sender', () => {
    const state = new LogState();
    const share = limits.qos2OpenIdsMax / 4;
    for (const client of ['absent', 'silent', 'busy', 'x']) {
      commit(state, (plan) => {
        for (let packetId = 1; packetId <= share; packetId += 1) plan.open({ client, packetId });
      });
    }
    expect(state.qos2Ids.size).toBe(limits.qos2OpenIdsMax);
    const again = commit(state, (plan) => {
      plan.release({ client: 'absent', packetId: 1 });
      plan.open({ client: 'absent', packetId: 1 });
    });
    expect(again.forgotten).toEqual([]);
    const full = commit(state, (plan) => plan.open({ client: 'absent', packetId: share + 1 }));
    expect(full.forgotten).toEqual(['silent']);
    expect(shown(state.qos2Ids).map(([client]) => client)).toEqual(['busy', 'x', 'absent']);
    expect(state.qos2Ids.size).toBe(3 * share + 1);
  });

  test('of all clients fit into a snapshot that fits into a journal file', () => {
    const ids = new OpenQos2Ids();
    for (let index = 0; index < limits.qos2OpenIdsMax; index += 1) {
      ids.open({ client: `${index}`.padStart(limits.mqttClientIdBytesMax, 'x'), packetIds: [1] });
    }
    const bytes = ids.entries().reduce((sum, entry) => sum + entry.bytes.length + 5, 0);
    expect(bytes).toBeLessThan(limits.journalFileBytes - limits.frameBytesMax);
  });

  test('are written with their client’s name and as many ids as there are', () => {
    const ids = new OpenQos2Ids();
    ids.open({ client: 'ü', packetIds: [1, 65_535] });
    expect(ids.entries().map(readQos2Entry)).toEqual([{ client: 'ü', packetIds: [1, 65_535] }]);
  });
});
