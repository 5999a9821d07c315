import { OPERATIONS, openApiDocument } from '@twinstream/api-contract';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Hono } from 'hono';

export interface CheckedResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, which the document has checked
  readonly body: any;
}

export type CheckedClient = (path: string, init?: RequestInit) => Promise<CheckedResponse>;

const JSON_TYPES = ['application/json', 'application/problem+json'];
const document = JSON.parse(
  JSON.stringify(openApiDocument(OPERATIONS, { version: '0.0.0', identifiesCallers: true })),
);
// Formats of OpenAPI and of `date-time` with an offset are checked; unknown keywords of OpenAPI are let pass.
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'openapi', ...document });
const validators = new Map<string, ValidateFunction>();

const PATHS = Object.keys(document.paths).map((template) => ({
  template,
  pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Asks the app, and holds each answer to what the OpenAPI document says of its operation. */
export function checkedClient(app: Hono): CheckedClient {
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('host')) headers.set('host', '127.0.0.1');
    const response = await app.request(`http://127.0.0.1${path}`, { ...init, headers });
    const mediaType = response.headers.get('content-type') ?? undefined;
    const text = mediaType === 'text/event-stream' ? undefined : await response.text();
    const isJson = JSON_TYPES.includes(mediaType ?? '') && init.method !== 'HEAD';
    const body = isJson ? JSON.parse(text ?? '') : text;
    checkAnswer(path, init.method ?? 'GET', response.status, mediaType, body);
    return { status: response.status, headers: response.headers, body };
  };
}

/** Throws unless the document allows this answer. A path or method that it does not have must be answered with a problem. */
export function checkAnswer(
  path: string,
  method: string,
  status: number,
  mediaType: string | undefined,
  body: unknown,
): void {
  const plainPath = path.split('?')[0] ?? '';
  const template = PATHS.find(({ pattern }) => pattern.test(plainPath))?.template;
  const name = method === 'HEAD' ? 'get' : method.toLowerCase();
  const operation = template === undefined ? undefined : document.paths[template][name];
  if (operation === undefined) {
    if (status !== 404 && status !== 405) throw new Error(`${method} ${path} answers ${status}`);
    if (method !== 'HEAD') validate('#/components/schemas/Problem', body);
    return;
  }
  const answer = operation.responses[status];
  if (answer === undefined) throw new Error(`${method} ${template} does not document ${status}`);
  if (answer.content === undefined) {
    if (mediaType !== undefined) throw new Error(`${method} ${template} documents no body for ${status}`);
    return;
  }
  if (mediaType === undefined || answer.content[mediaType] === undefined) {
    throw new Error(`${method} ${template} does not document ${status} as ${mediaType}`);
  }
  if (!JSON_TYPES.includes(mediaType) || method === 'HEAD') return;
  const pointer = ['paths', template, name, 'responses', status, 'content', mediaType, 'schema'];
  validate(
    `#/${pointer.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`,
    body,
  );
}

function validate(pointer: string, body: unknown): void {
  const check = validators.get(pointer) ?? ajv.compile({ $ref: `openapi${pointer}` });
  validators.set(pointer, check);
  if (check(body)) return;
  throw new Error(
    `the answer is not as documented: ${ajv.errorsText(check.errors)}\n${JSON.stringify(body)}`,
  );
}
