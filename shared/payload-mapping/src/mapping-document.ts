import { KEY_WINDOW_EVENTS_MAX } from '@twinstream/device-model';
import { z } from 'zod';
import { MAPPING_LIMITS as LIMITS } from './limits.ts';
import { TIME_UNITS } from './time-value.ts';

/** A week, as long as the stream keeps a record. */
const WINDOW_SECONDS_MAX = 604_800;

/** Version of the mapping language. */
export const MAPPING_LANGUAGE = 1;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
  .max(LIMITS.nameCharactersMax);
const path = z.string().min(1).max(LIMITS.pathCharactersMax).meta({
  id: 'Path',
  description: 'Where a value is: `a.b[0]`, `["a.b"]`, `$payload.a`, `$record.partitionKey`.',
});
const memberName = z.string().min(1).max(LIMITS.pathCharactersMax);
const json = z.json();

const format = z
  .union([
    z.enum(['json', 'ndjson', 'cbor']),
    z.strictObject({
      protobuf: z.strictObject({
        descriptorSet: name,
        message: z.string().min(1).max(LIMITS.pathCharactersMax),
      }),
    }),
    z.strictObject({ codec: name }),
  ])
  .meta({ id: 'Format', description: 'What the bytes of a record are.' });
export type FormatSpec = z.infer<typeof format>;

/** A schema of an object that has one of its members, or one of some of them. */
function exactlyOne<Shape extends z.ZodRawShape>(
  shape: Shape,
  of: readonly (keyof Shape & string)[],
  id: string,
  description: string,
) {
  return z
    .strictObject(shape)
    .refine((value) => of.filter((key) => key in value).length === 1, `exactly one of ${of.join(', ')}`)
    .meta({ id, description, oneOf: of.map((key) => ({ required: [key] })) });
}

export interface MatchStep {
  readonly pattern: string;
  readonly group?: number | undefined;
}
const STEP_WORDS = ['text', 'number', 'boolean', 'trim', 'lowercase', 'uppercase', 'json'] as const;

const stepObject = exactlyOne(
  {
    split: z
      .strictObject({ by: z.string().min(1).max(16), index: z.int().min(-64).max(64) })
      .meta({ description: 'One part of a text; a negative index counts from the end.' })
      .optional(),
    match: z
      .strictObject({
        pattern: z.string().min(1).max(LIMITS.patternCharactersMax),
        group: z.int().min(0).max(16).optional(),
      })
      .meta({
        description:
          'A group of a regular expression that matches the whole text; missing where it does not match.',
      })
      .optional(),
    scale: z
      .strictObject({
        factor: z.number().optional(),
        offset: z.number().optional(),
        decimals: z.int().min(0).max(15).optional(),
      })
      .meta({ description: 'value · factor + offset, rounded to decimals.' })
      .optional(),
    enum: z
      .strictObject({ values: z.record(z.string(), json), otherwise: json.optional() })
      .meta({ description: 'A value for each text, number or boolean.' })
      .optional(),
    time: z
      .strictObject({
        unit: z.enum(TIME_UNITS),
        offset: z
          .string()
          .regex(/^[+-]\d{2}:\d{2}$|^Z$/)
          .optional(),
        relativeBelow: z.number().positive().optional(),
      })
      .meta({
        description:
          'A time as ISO 8601. `offset`: of ISO times that have none. `relativeBelow`: smaller values count from the arrival.',
      })
      .optional(),
    decode: z
      .strictObject({
        from: z.enum(['base64', 'hex']),
        to: z.union([z.enum(['text', 'hex', 'base64']), format]),
      })
      .meta({ description: 'Bytes that a text holds.' })
      .optional(),
    integer: z
      .strictObject({
        offset: z.int().min(0).max(65_535),
        bytes: z.int().min(1).max(6),
        littleEndian: z.boolean().optional(),
        signed: z.boolean().optional(),
      })
      .meta({ description: 'A whole number at a place of bytes in hex.' })
      .optional(),
    pick: z.array(memberName).max(LIMITS.membersMax).optional(),
    drop: z.array(memberName).max(LIMITS.membersMax).optional(),
    rename: z.record(memberName, memberName).optional(),
    flatten: z
      .string()
      .max(8)
      .meta({ description: 'Separator between the names of nested objects.' })
      .optional(),
  },
  ['split', 'match', 'scale', 'enum', 'time', 'decode', 'integer', 'pick', 'drop', 'rename', 'flatten'],
  'StepObject',
  'One conversion.',
);
const step = z.union([z.enum(STEP_WORDS), stepObject]).meta({ id: 'Step' });
export type StepSpec = z.infer<typeof step>;

/** Where a value comes from and how it is converted. A text alone is a path. */
export type ValueSpec = string | ValueObjectSpec;
export interface ValueObjectSpec {
  readonly path?: string | undefined;
  readonly const?: unknown;
  readonly concat?: readonly ValueSpec[] | undefined;
  readonly sum?: readonly ValueSpec[] | undefined;
  readonly first?: readonly ValueSpec[] | undefined;
  readonly merge?: readonly ValueSpec[] | undefined;
  readonly object?: Readonly<Record<string, ValueSpec>> | undefined;
  readonly member?: { readonly name: ValueSpec; readonly value: ValueSpec } | undefined;
  readonly pairs?: { readonly path: string; readonly name: ValueSpec; readonly value: ValueSpec } | undefined;
  readonly expression?: string | undefined;
  readonly steps?: readonly StepSpec[] | undefined;
  readonly default?: unknown;
}

const value: z.ZodType<ValueSpec> = z
  .lazy(() => z.union([path, valueObject]))
  .meta({
    id: 'Value',
    description: 'A path, or an object that says where the value comes from and how it is converted.',
  });
const parts = z.array(value).min(1).max(LIMITS.partsMax);
const valueObject: z.ZodType<ValueObjectSpec> = exactlyOne(
  {
    path: path.optional(),
    const: json.optional(),
    concat: parts.meta({ description: 'Texts, numbers and booleans one after the other.' }).optional(),
    sum: parts.meta({ description: 'The sum of those numbers that are there.' }).optional(),
    first: parts
      .meta({ description: 'The first value that is there, not null and can be converted.' })
      .optional(),
    merge: parts
      .meta({ description: 'The members of several objects; later ones replace earlier ones.' })
      .optional(),
    object: z
      .record(memberName, value)
      .meta({ description: 'An object; members without a value are left out.' })
      .optional(),
    member: z
      .strictObject({ name: value, value })
      .meta({ description: 'An object of one member, whose name is a value.' })
      .optional(),
    pairs: z
      .strictObject({ path, name: value, value })
      .meta({ description: 'An object made of an array of names and values.' })
      .optional(),
    expression: z
      .string()
      .min(1)
      .max(LIMITS.expressionCharactersMax)
      .meta({
        description:
          'A JSON Query of texts, numbers and booleans: `if(.unit == "F", (.temp - 32) / 1.8, .temp)`.',
      })
      .optional(),
    steps: z.array(step).max(LIMITS.stepsMax).optional(),
    default: json
      .meta({ description: 'Where the value is missing or null, and where a pattern does not match.' })
      .optional(),
  },
  ['path', 'const', 'concat', 'sum', 'first', 'merge', 'object', 'member', 'pairs', 'expression'],
  'ValueObject',
  'Exactly one source, then steps in their order, then a default.',
);

const condition = exactlyOne(
  {
    value,
    exists: z.boolean().optional(),
    equals: json.optional(),
    in: z.array(json).max(LIMITS.membersMax).optional(),
    matches: z.string().min(1).max(LIMITS.patternCharactersMax).optional(),
    startsWith: z.string().min(1).max(LIMITS.pathCharactersMax).optional(),
    is: z.enum(['object', 'array', 'text', 'number', 'boolean', 'null']).optional(),
    not: z.boolean().meta({ description: 'Turns the condition around.' }).optional(),
  },
  ['exists', 'equals', 'in', 'matches', 'startsWith', 'is'],
  'Condition',
  'What a value must be.',
);
export type ConditionSpec = z.infer<typeof condition>;
const conditions = z.array(condition).max(LIMITS.conditionsMax).meta({ description: 'All of them hold.' });

const identity = exactlyOne(
  {
    session: value.meta({ description: 'Rises at each reboot or rejoin of the device.' }).optional(),
    counter: value
      .meta({ description: 'Rises by one per event within a session. With `session`.' })
      .optional(),
    wrapping: value
      .meta({ description: 'A counter that wraps or begins again; session and counter are derived from it.' })
      .optional(),
    bits: z
      .int()
      .min(4)
      .max(48)
      .meta({ description: 'Of `wrapping`: after 2^bits - 1 comes 0. Default: 32.' })
      .optional(),
    lateMax: z
      .int()
      .min(0)
      .meta({
        description:
          'How far back an event may be late or sent again. Default: 64, or a sixteenth of the range.',
      })
      .optional(),
    restart: conditions.meta({ description: 'All hold where the source begins to count again.' }).optional(),
    key: value
      .meta({ description: 'A text that copies of an event share, and no other event of the device has.' })
      .optional(),
    content: z
      .literal(true)
      .meta({
        description:
          'Events of equal type, data and, where the mapping says it, time are copies. Weaker than a key of the source.',
      })
      .optional(),
    window: z
      .strictObject({
        events: z.int().min(1).max(KEY_WINDOW_EVENTS_MAX).optional(),
        seconds: z.int().min(1).max(WINDOW_SECONDS_MAX).optional(),
      })
      .meta({
        description:
          'Of `key` and `content`: a copy is recognized while fewer `events` (default: 64) of the device were accepted since, and up to `seconds` later (default: any time).',
      })
      .optional(),
    optional: z.boolean().meta({ description: 'An event without these values is uncounted.' }).optional(),
  },
  ['session', 'wrapping', 'key', 'content'],
  'Identity',
  'What identifies an event of the device. Without it, its position in the stream.',
);
export type IdentitySpec = z.infer<typeof identity>;

const event = z
  .strictObject({
    deviceId: value,
    type: value.meta({ description: 'Default: `reported`.' }).optional(),
    time: value.meta({ description: 'Default: the arrival of the record.' }).optional(),
    identity: identity.optional(),
    data: value.meta({ description: 'An object. Default: none.' }).optional(),
  })
  .meta({ id: 'Event' });
export type EventSpec = z.infer<typeof event>;

const each = z
  .strictObject({
    path,
    of: z
      .enum(['elements', 'members'])
      .meta({ description: 'Of an array (default) or of an object.' })
      .optional(),
    where: conditions.optional(),
    carry: z
      .array(memberName)
      .max(16)
      .meta({ description: 'Members that hold for the following items too: `$carried.NAME`.' })
      .optional(),
    merge: z
      .boolean()
      .meta({ description: 'Consecutive items of equal device, type, time and identity become one event.' })
      .optional(),
  })
  .meta({ id: 'Each', description: 'One event for each part of the payload.' });
export type EachSpec = z.infer<typeof each>;

const rule = exactlyOne(
  {
    name,
    when: conditions.optional(),
    unwrap: value
      .meta({ description: 'The payload is this part of the record from here on; the whole is `$envelope`.' })
      .optional(),
    each: each.optional(),
    event: event.optional(),
    ignore: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'Such records become no event; says why.' })
      .optional(),
  },
  ['event', 'ignore'],
  'Rule',
  'Which records it is for, and the events that they become.',
);
export type RuleSpec = z.infer<typeof rule>;

/** A mapping as it is written: name, version, the format of the bytes, and rules of which the first that matches counts. */
export const mappingDocumentSchema = z
  .strictObject({
    $schema: z.string().optional(),
    language: z.literal(MAPPING_LANGUAGE).meta({ description: 'Version of the mapping language.' }),
    mapping: name.meta({ description: 'Name of the mapping. Each event keeps it, with the version.' }),
    version: z.int().min(1).meta({ description: 'Rises with each change.' }),
    description: z.string().max(1_024).optional(),
    format: format.optional(),
    gzip: z
      .boolean()
      .meta({ description: 'Payloads may be compressed; told by their first bytes.' })
      .optional(),
    descriptorSets: z
      .record(name, z.base64())
      .meta({
        description:
          'Protobuf types in base64, as `protoc --include_imports --descriptor_set_out` writes them.',
      })
      .optional(),
    rules: z.array(rule).min(1).max(LIMITS.rulesMax),
  })
  .meta({ title: 'Twinstream payload mapping' });
export type MappingDocument = z.infer<typeof mappingDocumentSchema>;

/** The published JSON Schema of a mapping document (draft 2020-12). */
export function mappingJsonSchema(): unknown {
  return z.toJSONSchema(mappingDocumentSchema, { io: 'input' });
}
