import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  decodeIdentity,
  encodeIdentity,
  type Identity,
  identityOn,
  mint,
} from '../../src/forwarder/mirror/identity.ts';

const logId = '0123456789abcdef0123456789abcdef';

describe('the identity of a mirror', () => {
  test('is that of the folder at first, and stays it on the same board', () => {
    const first = identityOn('board-1', null, logId);
    expect(first).toEqual({ logId, ancestors: [], board: 'board-1' });
    expect(identityOn('board-1', first, logId)).toBe(first);
  });

  test('is a new one on another board, with the old one as its ancestor, and never comes back', () => {
    const first = identityOn('board-1', null, logId);
    const second = identityOn('board-2', first, logId);
    expect(second).toMatchObject({ ancestors: [logId], board: 'board-2' });
    expect(identityOn('board-2', first, logId)).toEqual(second);
    const third = identityOn('board-1', second, logId);
    expect(third.ancestors).toEqual([logId, second.logId]);
    expect(new Set([logId, second.logId, third.logId]).size).toBe(3);
  });

  test('is kept where the board has no serial number, and bound to the first one that is seen', () => {
    const first = identityOn(null, null, logId);
    expect(identityOn(null, { ...first, board: 'board-1' }, logId)).toMatchObject({
      logId,
      board: 'board-1',
    });
    expect(identityOn('board-1', first, logId)).toEqual({ logId, ancestors: [], board: 'board-1' });
  });

  test('is minted alike from the same difference, so that a crash in between changes nothing', () => {
    const first: Identity = { logId, ancestors: [], board: null };
    expect(mint(first, 'life')).toEqual(mint(first, 'life'));
    expect(mint(first, 'life').logId).not.toBe(mint(first, 'another life').logId);
  });

  test('remembers a bounded number of ancestors, the newest', () => {
    let identity: Identity = { logId, ancestors: [], board: null };
    for (let count = 0; count < limits.ancestorsMax + 3; count += 1) identity = mint(identity, `${count}`);
    expect(identity.ancestors).toHaveLength(limits.ancestorsMax);
    expect(mint(identity, 'x').ancestors.at(-1)).toBe(identity.logId);
  });

  test('comes back as it was written; anything else is refused with a reason', () => {
    const identity = { logId, ancestors: [logId], board: 'board-1' };
    expect(decodeIdentity(encodeIdentity(identity))).toEqual({ ok: true, value: identity });
    for (const [text, reason] of [
      ['{', /not JSON/],
      ['[]', /not a JSON object/],
      ['{"version":7}', /version is 7/],
      ['{"version":1,"logId":"x"}', /logId/],
      [`{"version":1,"logId":"${logId}","ancestors":["x"]}`, /ancestors/],
      [`{"version":1,"logId":"${logId}","ancestors":[],"board":1}`, /board/],
    ] as const)
      expect(decodeIdentity(Buffer.from(text))).toEqual({
        ok: false,
        reason: expect.stringMatching(reason),
      });
  });
});
