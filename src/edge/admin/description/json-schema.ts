/** A JSON schema (2020-12), as OpenAPI 3.1 has it. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** The schema of a property that may be missing. */
export interface OptionalSchema {
  readonly optional: Schema;
}

/** A schema for each property of a type: one that is left out, or is none of it, does not compile. */
export type PropertySchemas<Shape> = {
  readonly [Name in keyof Shape]-?: Record<never, never> extends Pick<Shape, Name> ? OptionalSchema : Schema;
};

/** What is sent of an object: these properties and no others. */
export function objectOf<Shape extends object>(properties: PropertySchemas<Shape>): Schema {
  const entries = Object.entries<Schema | OptionalSchema>(properties);
  const required = entries.filter(([, schema]) => !isOptional(schema)).map(([name]) => name);
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(
      entries.map(([name, schema]) => [name, isOptional(schema) ? schema.optional : schema]),
    ),
  };
}

const isOptional = (schema: Schema | OptionalSchema): schema is OptionalSchema => 'optional' in schema;

/** Of a property that may be missing. */
export const optional = (schema: Schema): OptionalSchema => ({ optional: schema });

/** The same or null. */
export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

/** A list of these. */
export const listOf = (items: Schema): Schema => ({ type: 'array', items });

/** Names, which people choose, to these. */
export const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });

/** One of these texts. */
export const oneOfTexts = (texts: readonly string[]): Schema => ({ type: 'string', enum: texts });

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const numeric: Schema = { type: 'number' };
export const count: Schema = { type: 'integer', minimum: 0 };
/** Milliseconds since 1970 UTC. */
export const timeMs: Schema = { type: 'number' };
