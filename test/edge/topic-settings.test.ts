import { describe, expect, test } from 'vitest';
import { patched, settingsContradiction, settingsInForce } from '../../src/edge/topic-settings.ts';
import { topicDefaults } from '../../src/log/state/topic-defaults.ts';

const day = 86_400_000;

describe('a change of settings', () => {
  test.each([
    [{ priority: 3 }, {}, { priority: 3 }],
    [{ lane: 'alarm' }, { lane: null }, {}],
    [{ priority: 3 }, { compression: 'gzip' }, { priority: 3, compression: 'gzip' }],
    [{ priority: 3, segmentBytes: 70_000 }, { priority: null }, { segmentBytes: 70_000 }],
    [{ dropUnforwarded: true }, { dropUnforwarded: false }, { dropUnforwarded: false }],
    [{ retention: { bytes: 5 } }, { retention: { ageMs: day } }, { retention: { bytes: 5, ageMs: day } }],
    [{ retention: { bytes: 5, ageMs: day } }, { retention: { bytes: null } }, { retention: { ageMs: day } }],
    [{ retention: { bytes: 5 } }, { retention: { bytes: null } }, {}],
    [{ retention: { bytes: 5 } }, { retention: null }, {}],
    [{ retention: { bytes: 5 } }, { retention: 'until-forwarded' }, { retention: 'until-forwarded' }],
    [{ retention: 'until-forwarded' }, { retention: { bytes: 5 } }, { retention: { bytes: 5 } }],
    [{ retention: 'until-forwarded' }, { priority: 1 }, { retention: 'until-forwarded', priority: 1 }],
    [{ retention: 'until-forwarded' }, { retention: {} }, {}],
  ] as const)('of %j by %j makes %j', (settings, patch, result) => {
    expect(patched(settings, patch)).toStrictEqual(result);
  });
});

describe('settings that cannot stand together', () => {
  test.each([
    [{ dropUnforwarded: true, retention: 'until-forwarded' }, /choose one/],
    [{ dropUnforwarded: true }, /retention by bytes or age/],
    [{ dropUnforwarded: true, retention: {} }, /retention by bytes or age/],
  ] as const)('%j: are named', (settings, words) => {
    expect(settingsContradiction(settings)).toMatch(words);
  });

  test.each([
    {},
    { dropUnforwarded: false, retention: 'until-forwarded' },
    { dropUnforwarded: true, retention: { ageMs: day } },
    { dropUnforwarded: true, retention: { bytes: 5 } },
  ] as const)('%j can', (settings) => {
    expect(settingsContradiction(settings)).toBeUndefined();
  });
});

test('what counts is what is set, else the default', () => {
  expect(settingsInForce({ priority: 0, retention: { bytes: 5 } }, true)).toEqual({
    retention: { value: { bytes: 5 }, source: 'configuration' },
    dropUnforwarded: { value: false, source: 'default' },
    segmentBytes: { value: topicDefaults.segmentBytes, source: 'default' },
    compression: { value: topicDefaults.compression, source: 'default' },
    priority: { value: 0, source: 'configuration' },
    lane: { value: 'bulk', source: 'default' },
    centralPartitions: { value: null, source: 'default' },
  });
  expect(settingsInForce({ dropUnforwarded: false, centralPartitions: 6 }, false)).toMatchObject({
    retention: { value: null, source: 'default' },
    dropUnforwarded: { value: false, source: 'kept' },
    centralPartitions: { value: 6, source: 'kept' },
  });
});
