import { z } from 'zod';
import type { ProblemCode } from './problem.ts';

/** What an operation answers when all is well. */
export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default: `application/json`. */
  readonly mediaType?: string;
  /** Text of other media types, which a caller prefers by `Accept`. */
  readonly otherMediaTypes?: readonly string[];
  /** Response headers by name, and what each says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One JSON value a line (https://github.com/ndjson/ndjson-spec). */
export const NDJSON = 'application/x-ndjson';
/** RFC 4180. */
export const CSV = 'text/csv';

/** What a caller must be allowed to do. `open` operations take any caller. */
export type Scope = 'open' | 'read' | 'write';

/** One operation of the API: what checks its requests, and what its answers are. */
export interface Operation {
  readonly method: 'get' | 'post';
  /** With parameters in braces: `/v1/devices/{deviceId}`. */
  readonly path: `/${string}`;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Problems of its own, beside those that every operation has. */
  readonly problems?: readonly ProblemCode[];
}

/** Response headers of answers about the fleet that have a tag. */
export const TAG_HEADERS = {
  ETag: 'Weak tag of what the answer tells, `asOf` left out; absent where a further page has an order of its own.',
  'As-Of': 'As of when it holds, also with 304.',
};
export const UNCHANGED = { 304: { description: 'The caller has it.', headers: TAG_HEADERS } } as const;

/** An operation without parameters, or without query parameters. */
export const NO_PARAMETERS = z.strictObject({});

/** Keeps the exact types of an operation's schemas. */
export function operation<const Described extends Operation>(described: Described): Described {
  return described;
}
