import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { type Backup, backupText, parseBackup } from '../../../src/edge/backup/backup-document.ts';

const sample: Backup = {
  madeAt: '2026-01-31T08:00:00.000Z',
  gateway: 'gw1',
  headwater: '0.1.0',
  parentLogId: 'f00d',
  files: [
    { name: 'headwater.yaml', mode: 0o640, content: Buffer.from('gateway: { name: gw1 }\n') },
    { name: 'users.json', mode: 0o600, content: Buffer.from([0, 255, 10, 13]) },
    { name: 'admin.token', mode: 0o600, content: Buffer.alloc(0) },
  ],
};

/** The sample with something changed, and a sum that fits. */
function changed(change: (document: Record<string, unknown>) => void): string {
  const { sha256: _, ...document } = JSON.parse(backupText(sample));
  change(document);
  const sha256 = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  return JSON.stringify({ ...document, sha256 });
}

const withFile = (file: object): string =>
  changed((document) => {
    document['files'] = [{ name: 'users.json', mode: 0o600, content: '', ...file }];
  });

describe('a backup', () => {
  it('is read as it was written', () => {
    expect(parseBackup(backupText(sample))).toEqual(sample);
    expect(parseBackup(changed(() => {}))).toEqual(sample);
  });

  it('is refused whatever bit of its files is damaged', () => {
    const text = backupText(sample);
    const at = text.indexOf(Buffer.from('gateway').toString('base64').slice(0, 6));
    const damaged = `${text.slice(0, at)}A${text.slice(at + 1)}`;
    expect(() => parseBackup(damaged)).toThrow(/its sum does not fit/);
    expect(() => parseBackup(text.replace('"gw1"', '"gw2"'))).toThrow(/its sum does not fit/);
    for (let length = 0; length < text.length - 2; length += 7)
      expect(() => parseBackup(text.slice(0, length))).toThrow(/no backup that can be restored/);
  });

  it('of a later version is for that version', () => {
    const later = changed((document) => {
      document['version'] = 2;
      document['headwater'] = '9.1.0';
    });
    expect(() => parseBackup(later)).toThrow(
      expect.objectContaining({ code: 'unreadable-format', message: expect.stringContaining('9.1.0') }),
    );
  });

  it.each([
    ['[]', /it is not one/],
    ['null', /it is not one/],
    ['{"format":"tar"}', /it is not one/],
    [changed((document) => void delete document['madeAt']), /something that belongs to one is missing/],
    [changed((document) => void Object.assign(document, { version: 0 })), /is missing/],
    [changed((document) => void Object.assign(document, { parentLogId: 7 })), /is missing/],
    [changed((document) => void Object.assign(document, { files: [null] })), /names a file that is none/],
    [withFile({ name: '../users.json' }), /names a file that is none of a backup: "\.\.\/users\.json"/],
    [withFile({ name: '/etc/passwd' }), /names a file/],
    [withFile({ name: 'USERS.JSON' }), /names a file/],
    [withFile({ name: 'journal/00000000000000000001.journal' }), /names a file/],
    [withFile({ name: 'constructor' }), /names a file/],
    [withFile({ mode: 0o644 }), /the rights of users\.json/],
    [withFile({ mode: 0o4600 }), /the rights of users\.json/],
    [withFile({ mode: 0 }), /the rights of users\.json/],
    [withFile({ mode: '600' }), /the rights of users\.json/],
    [withFile({ content: 'YQ' }), /users\.json is not base64/],
    [withFile({ content: 7 }), /users\.json is not base64/],
    [
      withFile({ content: Buffer.alloc(limits.usersFileBytesMax + 1).toString('base64') }),
      /users\.json is too long/,
    ],
    [
      changed((document) => {
        const [, users] = document['files'] as object[];
        document['files'] = [users, users];
      }),
      /a file is in it twice/,
    ],
  ])('is not this one: number %#', (text, why) => {
    expect(() => parseBackup(text)).toThrow(why);
  });
});
