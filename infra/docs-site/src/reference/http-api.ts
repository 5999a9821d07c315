import { OPERATIONS, openApiDocument } from '@twinstream/api-contract';
import { slug } from '../headings.ts';
import { type JsonSchema, markdownTable, namedSchemas, typeText } from './json-schema.ts';

/** Version of the interface, as the API itself states it. */
const INTERFACE_VERSION = '1.0.0';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}
interface Content {
  readonly [mediaType: string]: { readonly schema: JsonSchema };
}
interface DescribedOperation {
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}
interface Document {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** The OpenAPI document of the API on AWS, which knows its callers. */
export function apiDocument(): Document {
  const document = openApiDocument(OPERATIONS, { version: INTERFACE_VERSION, identifiesCallers: true });
  return JSON.parse(JSON.stringify(document)) as Document;
}

/** The page of the HTTP API: each operation with its parameters and answers, then every named schema. */
export function httpApiPage(document: Document, openApiLink: string): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  const overview = markdownTable(
    ['operation', 'what it does'],
    operations.map(({ title, operation }) => [`[\`${title}\`](#${slug(title)})`, operation.summary]),
  );
  return [
    '# HTTP API',
    document.info.description,
    `The same as an [OpenAPI 3.1 document](${openApiLink}); a running API serves it under \`/openapi.json\`, and a page of it under \`/docs\`.`,
    overview,
    ...operations.map(({ title, operation }) => operationText(title, operation)),
    '## Schemas',
    namedSchemas(document.components.schemas, 3),
    '',
  ].join('\n\n');
}

function operationText(title: string, operation: DescribedOperation): string {
  const { summary, description, security, parameters, requestBody, responses } = operation;
  const body = Object.entries(requestBody?.content ?? {}).map(
    ([mediaType, { schema }]) => `Body (\`${mediaType}\`): ${typeText(schema)}.`,
  );
  return [
    `## \`${title}\``,
    `${summary}.${security === undefined ? ' Needs no token.' : ''}`,
    ...(description === undefined ? [] : [description]),
    ...(parameters.length === 0
      ? []
      : [
          markdownTable(
            ['parameter', 'in', 'type', 'required', 'meaning'],
            parameters.map(({ name, in: place, required, description: meaning = '', schema }) => [
              `\`${name}\``,
              place,
              typeText(schema),
              required ? 'yes' : '',
              meaning,
            ]),
          ),
        ]),
    ...body,
    markdownTable(
      ['status', 'meaning', 'content'],
      Object.entries(responses).map(([status, { description: meaning, content = {} }]) => [
        status,
        meaning,
        Object.entries(content)
          .map(([mediaType, { schema }]) => `\`${mediaType}\`: ${typeText(schema)}`)
          .join('; '),
      ]),
    ),
  ].join('\n\n');
}
