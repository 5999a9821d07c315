import { z } from 'zod';
import { ATTRIBUTE_FILTER_PREFIX } from './attribute-filter.ts';
import { headerName } from './header-name.ts';
import { ATTRIBUTE_VALUE, ATTRIBUTE_VALUE_SCHEMA } from './json-value.ts';
import type { Answer, Operation } from './operation.ts';
import { PROBLEMS, type ProblemCode, problemSchema } from './problem.ts';

type Json = Readonly<Record<string, unknown>>;

const TEXT = {
  type: 'string',
  maxLength: 1_024,
  pattern: '^(?!exists:(?!(?:true|false)$))',
  items: undefined,
} as const;

/** Problems that any operation may answer with. */
const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'BAD_PARAMETER',
  'NOT_ALLOWED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
  'UNAVAILABLE',
];

/** Bodies that say who acts, where the API does not know. */
const ACTOR_BODIES: readonly string[] = [
  'Correction',
  'AcknowledgementRequest',
  'RetirementRequest',
  'Redrive',
  'Discard',
];

export interface OpenApiOptions {
  /** The version of the interface. */
  readonly version: string;
  /** False where the API does not know its callers: then what changes something must say who acts. */
  readonly identifiesCallers: boolean;
}

/** The OpenAPI 3.1 document of these operations, made of the schemas that check their requests. */
export function openApiDocument(
  operations: readonly Operation[],
  { version, identifiesCallers }: OpenApiOptions,
): Json {
  const schemas = new Map<string, unknown>([[ATTRIBUTE_VALUE, ATTRIBUTE_VALUE_SCHEMA]]);
  const paths: Record<string, Record<string, Json>> = {};
  const named = (name: string, schema: unknown) =>
    ACTOR_BODIES.includes(name) && !identifiesCallers ? withRequired(schema as Json, 'actor') : schema;
  for (const described of operations) {
    const path = paths[described.path] ?? {};
    path[described.method] = operationOf(described, schemas);
    paths[described.path] = path;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Twinstream query API',
      version,
      description:
        'State of devices, now and at any time, their history, live updates and corrections. Times are ISO 8601 with an offset. Errors are RFC 9457 problem documents with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(
        [...schemas]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, schema]) => [name, named(name, schema)]),
      ),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function withRequired(schema: Json, member: string): Json {
  const { required = [] } = schema;
  return { ...schema, required: [...(required as readonly string[]), member] };
}

function operationOf(described: Operation, schemas: Map<string, unknown>): Json {
  const { operationId, summary, description, scope, params, query, headers, body } = described;
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(scope === 'open' ? {} : { security: [{}, { bearer: [scope] }] }),
    parameters: [
      ...parameters('path', params, schemas),
      ...parameters('query', query, schemas),
      ...(headers === undefined ? [] : parameters('header', headers, schemas)),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, schemas) } },
          },
        }),
    responses: { ...answers(described, schemas), ...problems(described, schemas) },
  };
}

function parameters(
  place: 'path' | 'query' | 'header',
  shape: z.ZodObject,
  schemas: Map<string, unknown>,
): Json[] {
  return Object.entries(shape.shape).map(([name, schema]) => {
    // A condition on an attribute is a text, whatever it becomes when it is read.
    const { description, ...rest } =
      name === 'attr'
        ? { ...schemaOf(schema as z.ZodType, schemas), ...TEXT }
        : schemaOf(schema as z.ZodType, schemas);
    const isRequired = place === 'path' || !(schema as z.ZodType).safeParse(undefined).success;
    return {
      name: place === 'header' ? headerName(name) : parameterName(name),
      in: place,
      required: isRequired,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** Conditions name their attribute: `attr.NAME` stands for any. */
function parameterName(name: string): string {
  return name === 'attr' ? `${ATTRIBUTE_FILTER_PREFIX}NAME` : name;
}

function answers({ answers: given }: Operation, schemas: Map<string, unknown>): Json {
  return Object.fromEntries(
    Object.entries(given).map(([status, answer]) => [status, answerOf(answer, schemas)]),
  );
}

function answerOf(
  { description, schema, mediaType, otherMediaTypes = [], headers }: Answer,
  schemas: Map<string, unknown>,
): Json {
  const hasBody = schema !== undefined || mediaType !== undefined;
  const content = schema === undefined ? { type: 'string' } : schemaOf(schema, schemas);
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              { description: text, schema: { type: 'string' } },
            ]),
          ),
        }),
    ...(hasBody
      ? {
          content: {
            [mediaType ?? 'application/json']: { schema: content },
            ...Object.fromEntries(otherMediaTypes.map((type) => [type, { schema: { type: 'string' } }])),
          },
        }
      : {}),
  };
}

function problems({ problems: own = [], scope }: Operation, schemas: Map<string, unknown>): Json {
  const access: readonly ProblemCode[] = scope === 'open' ? [] : ['UNAUTHENTICATED'];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...COMMON_PROBLEMS, ...access, ...own]) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
        content: { 'application/problem+json': { schema: schemaOf(problemSchema, schemas) } },
      },
    ]),
  );
}

/** JSON Schema 2020-12, which OpenAPI 3.1 speaks, with named schemas moved to the components of the document. */
function schemaOf(schema: z.ZodType, schemas: Map<string, unknown>): Record<string, unknown> {
  const { $schema: _, $defs, ...content } = relocate(z.toJSONSchema(schema, { unrepresentable: 'any' }));
  for (const [name, definition] of Object.entries(($defs ?? {}) as Json)) schemas.set(name, definition);
  if (typeof content.id !== 'string') return content;
  // A named schema at the top stands there itself; below the top there is a reference to it.
  const { id, ...definition } = content;
  schemas.set(id, definition);
  return { $ref: `${COMPONENTS}${id}` };
}

const COMPONENTS = '#/components/schemas/';

function relocate(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', `"${COMPONENTS}`));
}
