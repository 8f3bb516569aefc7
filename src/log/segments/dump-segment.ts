import type { ReadableFile } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { type BatchHeader, batchHeaderBytes, isIntactBatch, peekBatchHeader } from '../encoding/batch.ts';
import { readOverDamage } from '../journal/journal-files.ts';
import { searchBatch } from './segment-search.ts';

/** What lies in a segment, in order and without gaps. */
export type SegmentDumpPiece = { readonly position: number; readonly sizeBytes: number } & (
  | {
      readonly kind: 'batch';
      readonly header: BatchHeader;
      /** Whether its checksum is right. */
      readonly isIntact: boolean;
      readonly bytes: Buffer;
    }
  /** Bytes that no batch begins with. */
  | { readonly kind: 'gap' }
);

/**
 * Shows all batches of a segment, however it is damaged, also behind what the catalog counts. Behind a damaged place it
 * goes on with the next batch whose checksum is right.
 */
export async function* dumpSegment(file: ReadableFile): AsyncGenerator<SegmentDumpPiece> {
  const end = await file.size();
  for (let position = 0; position < end; ) {
    const header = peekBatchHeader(await readOverDamage(file, position, batchHeaderBytes));
    const isWhole =
      header !== undefined && header.sizeBytes <= limits.frameBytesMax && position + header.sizeBytes <= end;
    const bytes = isWhole ? await readOverDamage(file, position, header.sizeBytes) : undefined;
    if (isWhole && bytes !== undefined && isIntactBatch(bytes)) {
      yield { kind: 'batch', position, sizeBytes: header.sizeBytes, header, isIntact: true, bytes };
      position += header.sizeBytes;
      continue;
    }
    const next = await searchBatch(file, { start: position + 1, end }, (found, _, view) =>
      isIntactBatch(view.subarray(0, found.sizeBytes)),
    );
    const sizeBytes = (next?.position ?? end) - position;
    if (isWhole && bytes !== undefined)
      yield { kind: 'batch', position, sizeBytes, header, isIntact: false, bytes };
    else yield { kind: 'gap', position, sizeBytes };
    position += sizeBytes;
  }
}
