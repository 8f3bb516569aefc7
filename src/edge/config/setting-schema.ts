import type { JsonSchema, Shape } from './setting-shape.ts';
import type { SettingPath } from './yaml-tree.ts';

/** What a setting is for, in words; undefined if nobody says. */
export type Describe = (path: string) => string | undefined;

/**
 * The JSON Schema of a configuration file, for editors. It takes all that is read, and refuses what can be seen in one setting
 * alone: what settings mean together only the reader knows.
 */
export function configSchema(shape: Shape, describe: Describe): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headwater',
    description: 'Configuration of a Headwater gateway: headwater.yaml',
    ...schemaOf(shape, [], describe),
  };
}

function schemaOf(shape: Shape, path: SettingPath, describe: Describe): JsonSchema {
  const schema = formOf(shape, path, describe);
  const purpose = describe(path.join('.'));
  const { description: what } = schema;
  const description = [purpose, typeof what === 'string' ? `Write ${what}.` : undefined].filter(
    (part) => part !== undefined,
  );
  return {
    ...schema,
    ...(description.length > 0 && { description: description.join('\n\n') }),
    // The name of a gateway is by default that of its host.
    ...(shape.byDefault !== undefined && path.join('.') !== 'gateway.name' && { default: shape.byDefault }),
  };
}

function formOf(shape: Shape, path: SettingPath, describe: Describe): JsonSchema {
  switch (shape.form) {
    case 'value':
      return shape.schema;
    case 'section':
      return sectionSchema(shape, path, describe);
    case 'list':
      return { ...shape.bounds, items: schemaOf(shape.item, [...path, '*'], describe) };
    case 'table':
      return {
        type: ['object', 'null'],
        propertyNames: shape.name,
        additionalProperties: schemaOf(shape.item, [...path, '*'], describe),
      };
    case 'types':
      return typesSchema(shape.types, path, describe);
    case 'either':
      return { anyOf: shape.options.map((option) => schemaOf(option, path, describe)) };
  }
}

type Section = Extract<Shape, { readonly form: 'section' }>;

function sectionSchema({ settings, isOptional }: Section, path: SettingPath, describe: Describe): JsonSchema {
  const required = [...settings].filter(([, inner]) => !inner.isOptional).map(([name]) => name);
  const properties = Object.fromEntries(
    [...settings].map(([name, inner]) => [name, schemaOf(inner, [...path, name], describe)]),
  );
  return {
    // A section whose lines are all commented out is null in YAML.
    type: isOptional && required.length === 0 ? ['object', 'null'] : 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** The name of a type is enough where all that it has may be left out. */
function typesSchema(types: ReadonlyMap<string, Shape>, path: SettingPath, describe: Describe): JsonSchema {
  const sections = [...types].flatMap(([name, type]) =>
    type.form === 'section' ? [[name, type] as const] : [],
  );
  const bare = sections.filter(([, { settings }]) =>
    [...settings.values()].every((inner) => inner.isOptional),
  );
  const written = sections.map(([name, type]): JsonSchema => {
    const { properties, required, ...rest } = sectionSchema(type, path, describe);
    const others = Array.isArray(required) ? required : [];
    const typed = { type: { const: name }, ...(properties as Readonly<Record<string, unknown>>) };
    return { ...rest, properties: typed, required: ['type', ...others] };
  });
  return { anyOf: [{ enum: bare.map(([name]) => name) }, ...written] };
}
