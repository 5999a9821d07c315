import { ATTRIBUTE_FILTER_PREFIX, headerName, type Operation } from '@twinstream/api-contract';
import { inexactNumbers, isStorableNumber } from '@twinstream/device-model';
import type { z } from 'zod';
import { problemResponse } from './problem.ts';
import type { QueryApiServices } from './services.ts';

/** A request as it came, before anything is checked. */
export interface RawRequest {
  /** Of an endpoint that takes GET also HEAD, whose answer has no body. */
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly header: (name: string) => string | undefined;
  readonly text: () => Promise<string>;
  /** Who calls, where that is known. */
  readonly actor: string | undefined;
  /** Aborted when the caller goes away. Made when first asked for, because it costs something. */
  readonly getSignal: () => AbortSignal;
}

/** An operation of the contract, and what answers it. */
export interface Endpoint<Services = QueryApiServices> extends Operation {
  readonly answer: (request: RawRequest, services: Services) => Promise<Response>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface CheckedRequest<Description extends Operation> {
  readonly method: string;
  readonly params: z.output<Description['params']>;
  readonly query: z.output<Description['query']>;
  readonly headers: Parsed<Description['headers']>;
  readonly body: Parsed<Description['body']>;
  readonly getSignal: () => AbortSignal;
  /** Who calls, where that is known. */
  readonly actor: string | undefined;
  /** Header `Accept`; empty where there is none. */
  readonly accept: string;
}

/**
 * An endpoint: the schemas that check its requests are those of the contract. All parameters at fault
 * are reported together; unknown and repeated ones are faults.
 */
export function endpoint<const Description extends Operation, Services = QueryApiServices>(
  description: Description,
  handle: (request: CheckedRequest<Description>, services: Services) => Promise<Response>,
): Endpoint<Services> {
  return {
    ...description,
    answer: async (raw, services) => {
      const faults: Fault[] = [];
      const params = check(description.params, raw.params, faults);
      const query = check(description.query, queryValues(description.query, raw.query, faults), faults);
      const headers =
        description.headers &&
        check(description.headers, headerValues(description.headers, raw), faults, headerName);
      if (faults.length > 0) return badParameters(faults);
      let body: unknown;
      if (description.body !== undefined) {
        const read = await readBody(description.body, raw);
        if ('answer' in read) return read.answer;
        body = read.value;
      }
      // The schemas have just checked every member; TypeScript cannot follow that through the generic description.
      const { method, getSignal, actor } = raw;
      const checked = {
        method,
        params,
        query,
        headers,
        body,
        getSignal,
        actor,
        accept: raw.header('accept') ?? '',
      } as CheckedRequest<Description>;
      return handle(checked, services);
    },
  };
}

interface Fault {
  readonly parameter: string;
  readonly detail: string;
}

/** Faults of one request that are told; a request may hold thousands. */
const FAULTS_MAX = 20;
const PARAMETER_CHARACTERS_MAX = 64;

function check(
  schema: z.ZodObject,
  values: unknown,
  faults: Fault[],
  written = (name: string): string => name,
): unknown {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const name of issue.keys)
        faults.push({ parameter: name, detail: 'is not a parameter of this operation' });
    } else faults.push({ parameter: written(String(issue.path[0] ?? '')), detail: issue.message });
  }
  return undefined;
}

/** Each parameter once, but for conditions on attributes, which come together in `attr`. */
function queryValues(
  schema: z.ZodObject,
  query: RawRequest['query'],
  faults: Fault[],
): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  const conditions: [string, readonly string[]][] = [];
  for (const [name, values] of Object.entries(query)) {
    if (name.startsWith(ATTRIBUTE_FILTER_PREFIX) && 'attr' in schema.shape) {
      conditions.push([name.slice(ATTRIBUTE_FILTER_PREFIX.length), values]);
    } else if (name === 'attr')
      faults.push({ parameter: name, detail: 'must name an attribute: attr.<name>' });
    else if (values.length > 1) faults.push({ parameter: name, detail: 'must be given once' });
    else entries.push([name, values[0] ?? '']);
  }
  if (conditions.length > 0) entries.push(['attr', conditions]);
  return Object.fromEntries(entries);
}

function headerValues(schema: z.ZodObject, raw: RawRequest): Record<string, string> {
  const entries: [string, string][] = [];
  for (const name of Object.keys(schema.shape)) {
    const value = raw.header(name);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** A page of another site can send a body as text or as a form, not as JSON, without asking first (Fetch standard, "CORS-safelisted"). */
const JSON_MEDIA_TYPE = /^application\/json(?:\s*;.*)?$/i;

async function readBody(
  schema: z.ZodType,
  raw: RawRequest,
): Promise<{ readonly value: unknown } | { readonly answer: Response }> {
  const mediaType = raw.header('content-type') ?? '';
  if (!JSON_MEDIA_TYPE.test(mediaType)) {
    return {
      answer: problemResponse('UNSUPPORTED_MEDIA_TYPE', { detail: 'send Content-Type: application/json' }),
    };
  }
  const text = await raw.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { answer: problemResponse('BAD_BODY', { detail: 'the body is not JSON' }) };
  }
  // One that no store holds is refused by its own name.
  const inexact = inexactNumbers(text).find((words) => isStorableNumber(Number(words)));
  if (inexact !== undefined) {
    const digits = inexact.slice(0, PARAMETER_CHARACTERS_MAX);
    const detail = `number-not-exact: ${digits} would be rounded; send it as text`;
    return { answer: problemResponse('BAD_BODY', { detail }) };
  }
  const result = schema.safeParse(value);
  return result.success ? { value: result.data } : { answer: badBody(result.error) };
}

function badParameters(faults: readonly Fault[]): Response {
  const told = faults.slice(0, FAULTS_MAX).map(({ parameter, detail }) => ({
    parameter: parameter.slice(0, PARAMETER_CHARACTERS_MAX),
    detail,
  }));
  const detail = told.map((fault) => `${fault.parameter}: ${fault.detail}`).join('; ');
  return problemResponse('BAD_PARAMETER', { detail, faults: told });
}

function badBody(error: z.ZodError): Response {
  const faults = error.issues.slice(0, FAULTS_MAX).map((issue) => ({
    parameter: ['body', ...issue.path.map(String)].join('.').slice(0, PARAMETER_CHARACTERS_MAX),
    detail: issue.message,
  }));
  return problemResponse('BAD_BODY', {
    detail: faults.map((f) => `${f.parameter}: ${f.detail}`).join('; '),
    faults,
  });
}

/** A JSON answer of the contract's type, which the caller names. Not cached unless the headers say so. */
export function jsonAnswer<Body = never>(
  body: NoInfer<Body>,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Response {
  return jsonTextAnswer(JSON.stringify(body), headers, status);
}

/** A JSON answer whose text is made already. Not cached unless the headers say so. */
export function jsonTextAnswer(
  text: string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}
