import type { RecordHeader } from '../../src/core/record.ts';

/**
 * What a consumer of one central partition keeps that goes by the README: of each source and life it drops what is not
 * behind all that it has seen.
 */
export function withoutDoubles<Record extends { readonly headers: readonly RecordHeader[] }>(
  records: readonly Record[],
): readonly Record[] {
  const seen = new Map<string, number>();
  return records.filter(({ headers }) => {
    const text = (name: string): string =>
      Buffer.from(headers.find((header) => header.name === name)?.value ?? []).toString();
    const stream = `${text('headwater.source')} ${text('headwater.life')}`;
    const offset = Number(text('headwater.offset'));
    if (offset <= (seen.get(stream) ?? -1)) return false;
    seen.set(stream, offset);
    return true;
  });
}
