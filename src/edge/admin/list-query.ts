import { limits } from '../../core/limits.ts';

/** Which items of a long list are asked for. */
export interface ListQuery {
  /** Text in their names, whatever its case; empty for all. */
  readonly search: string;
  /** How many to leave out at the beginning. */
  readonly offset: number;
  readonly limit: number;
}

/** The same as a query string. */
export interface ListQueryText {
  readonly search?: string;
  readonly offset?: string;
  readonly limit?: string;
}

/** The JSON schema of {@link ListQueryText}. */
export const listQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    search: { type: 'string', maxLength: limits.listSearchLengthMax },
    offset: { type: 'string', pattern: '^[0-9]{1,6}$' },
    limit: { type: 'string', pattern: '^[1-9][0-9]{0,5}$' },
  },
};

/** What the query string says in numbers; no more than `limits.listPageMax` are answered. */
export const listQuery = ({ search = '', offset, limit }: ListQueryText): ListQuery => ({
  search: search.trim(),
  offset: Number(offset ?? 0),
  limit: Math.min(Number(limit ?? limits.listPageDefault), limits.listPageMax),
});

/** What was asked for of a list. */
export interface ListPart<Item> {
  /** How many there are. */
  readonly total: number;
  /** How many of them were asked for, those of other pages included. */
  readonly found: number;
  readonly items: readonly Item[];
}

/** The items that have the text in one of their names, in their order. */
export function partOf<Item>(
  all: readonly Item[],
  { search, offset, limit }: ListQuery,
  namesOf: (item: Item) => readonly string[],
): ListPart<Item> {
  const wanted = search.toLowerCase();
  const isWanted = (name: string): boolean => name.toLowerCase().includes(wanted);
  const found = wanted === '' ? all : all.filter((item) => namesOf(item).some(isWanted));
  return { total: all.length, found: found.length, items: found.slice(offset, offset + limit) };
}
