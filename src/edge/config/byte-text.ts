/** What a character after a backslash stands for. */
const escapes: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, '0': 0x00, '\\': 0x5c };

/** An escape by number, one by name, or a character of ASCII. */
const oneByte = /\\x([0-9a-fA-F]{2})|\\([rnt0\\])|([\0-\x5b\x5d-\x7f])/y;

/**
 * Bytes written as ASCII text, with `\r`, `\n`, `\t`, `\0`, `\\` and, for any byte, `\xFF`. Undefined for anything else:
 * other characters could mean several bytes.
 */
export function parseEscapedBytes(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at = oneByte.lastIndex) {
    oneByte.lastIndex = at;
    const match = oneByte.exec(text);
    if (match === null) return undefined;
    const [, hex, name, character] = match;
    const byte = hex !== undefined ? Number.parseInt(hex, 16) : escapes[name ?? ''];
    bytes.push(byte ?? character?.charCodeAt(0) ?? 0);
  }
  return Uint8Array.from(bytes);
}

/** Bytes written as pairs of hex digits, with or without white space between the pairs. Undefined for anything else. */
export function parseHexBytes(text: string): Uint8Array | undefined {
  const groups = text.trim().split(/\s+/);
  const areBytes = groups.every((digits) => /^(?:[0-9a-fA-F]{2})*$/.test(digits));
  return areBytes ? Uint8Array.from(Buffer.from(groups.join(''), 'hex')) : undefined;
}

const named: ReadonlyMap<number, string> = new Map(
  Object.entries(escapes).map(([name, byte]) => [byte, `\\${name}`]),
);

/** Bytes as {@link parseEscapedBytes} reads them. */
export function escapedText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const isPrintable = byte >= 0x20 && byte < 0x7f;
    text +=
      named.get(byte) ?? (isPrintable ? String.fromCharCode(byte) : `\\x${hexText(Uint8Array.of(byte))}`);
  }
  return text;
}

/** Bytes as pairs of hex digits in upper case, with a space between them. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
}
