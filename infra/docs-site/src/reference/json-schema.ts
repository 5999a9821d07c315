import { slug } from '../headings.ts';

/** A JSON Schema (draft 2020-12), as far as tables of members need it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** A member of an object, as one row of a table. */
export interface MemberRow {
  /** With the names of the objects around it: `protobuf.message`. */
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly description: string;
}

const BOUNDS: readonly (readonly [string, string])[] = [
  ['minimum', '≥ '],
  ['exclusiveMinimum', '> '],
  ['maximum', '≤ '],
  ['exclusiveMaximum', '< '],
  ['minLength', 'characters ≥ '],
  ['maxLength', 'characters ≤ '],
  ['minItems', 'items ≥ '],
  ['maxItems', 'items ≤ '],
  ['default', 'default '],
];
/** Bounds that say no more than that the number is a safe integer. */
const SAFE_INTEGERS: readonly unknown[] = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];

const schemaOf = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const schemasOf = (value: unknown): readonly JsonSchema[] =>
  listOf(value)
    .map(schemaOf)
    .filter((schema) => schema !== undefined);
const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** The type of a schema in words, with its bounds and default. A named schema is a link to the heading of its name on the same page. */
export function typeText(schema: JsonSchema): string {
  const bounds = BOUNDS.flatMap(([keyword, words]) => {
    const value = schema[keyword];
    return value === undefined || SAFE_INTEGERS.includes(value) ? [] : [`${words}${code(value)}`];
  });
  return [baseType(schema), ...bounds].join(', ');
}

function baseType(schema: JsonSchema): string {
  if (typeof schema.$ref === 'string') return referenceText(schema.$ref);
  if (schema.const !== undefined) return code(schema.const);
  const values = listOf(schema.enum);
  if (values.length > 0) return values.map(code).join(', ');
  const choices = [...schemasOf(schema.anyOf), ...schemasOf(schema.oneOf)].filter(
    (choice) => baseType(choice) !== 'any',
  );
  if (choices.length > 0) return choices.map(typeText).join(' or ');
  if (schema.type === 'array') {
    const item = schemaOf(schema.items);
    return item === undefined ? 'list' : `list of ${typeText(item)}`;
  }
  const value = schemaOf(schema.additionalProperties);
  if (schema.type === 'object' && value !== undefined && schema.properties === undefined) {
    return `object of ${baseType(value)} by name`;
  }
  const types = Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type;
  const type = typeof types === 'string' ? types : schema.properties === undefined ? 'any' : 'object';
  return typeof schema.format === 'string' ? `${type} (${schema.format})` : type;
}

function referenceText(reference: string): string {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  if (name === '#' || name === '') return 'the same';
  return `[${name}](#${slug(name)})`;
}

/** The members of an object and of the objects within it, those of alternatives included. */
export function memberRows(schema: JsonSchema, prefix = ''): readonly MemberRow[] {
  const required = listOf(schema.required);
  const own = Object.entries(schemaOf(schema.properties) ?? {}).flatMap(([key, value]) => {
    const member = schemaOf(value) ?? {};
    const name = `${prefix}${key}`;
    return [
      {
        name,
        type: typeText(member),
        isRequired: required.includes(key),
        description: typeof member.description === 'string' ? member.description : '',
      },
      ...memberRows(member, `${name}.`),
    ];
  });
  const item = schema.type === 'array' ? schemaOf(schema.items) : undefined;
  const within = item === undefined ? [] : memberRows(item, prefix === '' ? '' : `${prefix.slice(0, -1)}[].`);
  const choices = [...schemasOf(schema.anyOf), ...schemasOf(schema.oneOf), ...schemasOf(schema.allOf)];
  const ofChoices = choices.flatMap((choice) => memberRows(choice, prefix));
  return uniqueRows([...own, ...within, ...ofChoices]);
}

/** A member that several alternatives have stands once, with each of its types. */
function uniqueRows(rows: readonly MemberRow[]): readonly MemberRow[] {
  const byName = new Map<string, MemberRow>();
  for (const row of rows) {
    const known = byName.get(row.name);
    if (known === undefined) byName.set(row.name, row);
    else if (!known.type.split(' or ').includes(row.type)) {
      byName.set(row.name, {
        ...known,
        type: `${known.type} or ${row.type}`,
        description: known.description === '' ? row.description : known.description,
      });
    }
  }
  return [...byName.values()];
}

/** A Markdown table; pipes in cells are escaped. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** The table of an object's members; its type in a sentence where it has none. */
export function schemaText(schema: JsonSchema): string {
  const rows = memberRows(schema);
  const description = typeof schema.description === 'string' ? `${schema.description}\n\n` : '';
  if (rows.length === 0) return `${description}${typeText(schema)}`;
  return `${description}${markdownTable(
    ['member', 'type', 'required', 'meaning'],
    rows.map(({ name, type, isRequired, description: meaning }) => [
      code(name),
      type,
      isRequired ? 'yes' : '',
      meaning,
    ]),
  )}`;
}

/** One section for each named schema, in the order given. */
export function namedSchemas(schemas: Readonly<Record<string, unknown>>, level: number): string {
  return Object.entries(schemas)
    .map(([name, schema]) => `${'#'.repeat(level)} ${name}\n\n${schemaText(schemaOf(schema) ?? {})}`)
    .join('\n\n');
}
