import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makeRoot, mirrorsIn, packages } from '../../deploy/raspberry-pi/debian.ts';
import { imageBytes, layout, partitionTable } from '../../deploy/raspberry-pi/layout.ts';

const MIB = 1024 * 1024;

describe('the layout of a card', () => {
  test.each([1, 400 * MIB, 400 * MIB + 1, 1900 * MIB])(
    'of a root of %d bytes has no gaps, overlaps or odd sizes',
    (bytes) => {
      const partitions = layout(bytes);
      let end = 4 * MIB;
      for (const { startBytes, bytes: size } of partitions) {
        expect(startBytes).toBe(end);
        expect(size % (4 * MIB)).toBe(0);
        end = startBytes + size;
      }
      expect(imageBytes(partitions)).toBe(end);
      expect(partitions[1]?.bytes).toBeGreaterThan(bytes);
    },
  );

  test('is a table that sfdisk reads', () => {
    expect(partitionTable(layout(100 * MIB))).toBe(
      [
        'label: dos',
        'unit: sectors',
        'start=8192, size=524288, type=c, bootable',
        'start=532480, size=237568, type=83',
        'start=770048, size=524288, type=83',
        '',
      ].join('\n'),
    );
  });
});

describe('the mirrors of a machine', () => {
  const line = (...fields: readonly string[]): string => `${fields.join('\t')}\n`;

  test('are those of its apt, whoever else has packages there', () => {
    const targets = [
      line('Somebody', 'stable', 'https://packages.example.com/'),
      line('Debian', 'bookworm-updates', 'http://mirror.example.com/debian/'),
      line('Debian', 'bookworm', 'http://mirror.example.com/debian/'),
      line('Debian', 'bookworm-security', 'http://mirror.example.com/security/'),
    ].join('');
    const debian = 'http://mirror.example.com/debian/';
    expect(mirrorsIn(targets)).toEqual({ debian, security: 'http://mirror.example.com/security/' });
  });

  test('have updates for security beside them, if apt does not say where', () => {
    expect(mirrorsIn(line('Debian', 'trixie', 'http://mirror.example.com/debian'))?.security).toBe(
      'http://mirror.example.com/debian-security',
    );
  });

  test('are not guessed', () => {
    expect(mirrorsIn(line('Ubuntu', 'noble', 'http://mirror.example.com/ubuntu/'))).toBeNull();
    expect(mirrorsIn('')).toBeNull();
  });

  test('are where a root comes from', () => {
    const command = makeRoot({ debian: 'http://one.example', security: 'http://two.example' }, 'root.tar');
    expect(command).toContain('deb http://one.example trixie main non-free-firmware');
    expect(command).toContain('deb http://two.example trixie-security main non-free-firmware');
    expect(new Set(packages).size).toBe(packages.length);
  });
});

test('a machine without the tools is told what to install', () => {
  const builder = fileURLToPath(new URL('../../deploy/raspberry-pi/build-image.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [builder], { env: { PATH: '/nowhere' } });
  expect(status).toBe(1);
  expect(String(stderr)).toMatch(
    /^run "apt-get install --no-install-recommends .*mmdebstrap.* xz-utils" first/,
  );
});
