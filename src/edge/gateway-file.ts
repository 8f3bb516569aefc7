import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../core/limits.ts';
import type { ListenerKind } from '../ingest/mqtt/listener.ts';
import { readFileAtMost } from '../platform/bounded-file.ts';
import { replaceFile } from '../platform/data-folder.ts';

/** Bound addresses, `host:port`; null for what it does not listen for. */
export type Addresses = Readonly<Record<ListenerKind, string | null>> & { readonly admin: string };

/** What a running gateway leaves in its data folder, for the CLI to find it. It stays behind after a crash. */
export interface GatewayFile extends Addresses {
  readonly pid: number;
  /** SHA-256 of the certificate that the admin API shows; null if it speaks plain HTTP. */
  readonly adminFingerprint: string | null;
}

const pathIn = (dataDir: string): string => join(dataDir, 'gateway.json');

/** Writes the file, replacing what a crashed gateway left. */
export function writeGatewayFile(dataDir: string, content: GatewayFile): Promise<void> {
  return replaceFile(pathIn(dataDir), `${JSON.stringify(content)}\n`, 0o644);
}

/** Removes the file; no error if there is none. */
export function removeGatewayFile(dataDir: string): Promise<void> {
  return rm(pathIn(dataDir), { force: true });
}

/** The file's content, or null if there is none or it is not one. */
export async function readGatewayFile(dataDir: string): Promise<GatewayFile | null> {
  try {
    const bytes = await readFileAtMost(pathIn(dataDir), limits.gatewayFileBytesMax);
    const content: unknown = JSON.parse(String(bytes));
    return isGatewayFile(content) ? { ...content, adminFingerprint: content.adminFingerprint ?? null } : null;
  } catch {
    return null;
  }
}

function isGatewayFile(content: unknown): content is GatewayFile {
  if (typeof content !== 'object' || content === null) return false;
  const { pid, admin, adminFingerprint = null } = content as Partial<Record<string, unknown>>;
  const isFingerprint = adminFingerprint === null || typeof adminFingerprint === 'string';
  return typeof pid === 'number' && typeof admin === 'string' && isFingerprint;
}
