const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text that the bytes are in UTF-8; null if they are none. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
