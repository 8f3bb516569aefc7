import type { Files } from '../../support/disk-files.ts';

const lineBytes = 32;

/** Each file as a line with its path and length, then its bytes, 32 a line; lines of zeros are left out. */
export function filesToHex(files: Files): string {
  const lines: string[] = [];
  for (const [path, bytes] of files) {
    lines.push(`${path} ${bytes.length}`);
    for (let at = 0; at < bytes.length; at += lineBytes) {
      const line = bytes.subarray(at, at + lineBytes);
      if (line.some((byte) => byte !== 0))
        lines.push(` ${at.toString(16).padStart(6, '0')} ${line.toString('hex')}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The reverse of {@link filesToHex}. */
export function filesFromHex(text: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let current = Buffer.alloc(0);
  for (const line of text.trimEnd().split('\n')) {
    const [first = '', second = '', hex = ''] = line.split(' ');
    if (first === '') current.set(Buffer.from(hex, 'hex'), Number.parseInt(second, 16));
    else {
      current = Buffer.alloc(Number(second));
      files.set(first, current);
    }
  }
  return files;
}
