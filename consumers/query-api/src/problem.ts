import { z } from 'zod';

/** Every way in which this API says no: status and title by stable code. */
export const PROBLEMS = {
  BAD_PARAMETER: { status: 400, title: 'A parameter is not as it should be' },
  BAD_BODY: { status: 400, title: 'The body is not as it should be' },
  BAD_CURSOR: { status: 400, title: 'The cursor does not belong to this query' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be read' },
  UNAUTHENTICATED: { status: 401, title: 'A bearer token is needed' },
  NOT_ALLOWED: { status: 403, title: 'This caller may not do this' },
  DEVICE_NOT_FOUND: { status: 404, title: 'Nothing is stored of this device' },
  STATE_MISSING: { status: 404, title: 'Events of this device are stored, but no state' },
  NO_STATE_AT_TIME: { status: 404, title: 'Nothing was stored of this device at that time' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this path' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This path does not take this method' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request line and headers are too large' },
  TOO_MANY_STREAMS: { status: 429, title: 'Too many update streams are open' },
  INTERNAL: { status: 500, title: 'The request failed here, not at the caller' },
  UNAVAILABLE: { status: 503, title: 'A store behind this API does not answer' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem details, with the members that this API adds. */
export const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: 'Stable name of the kind of problem: `urn:twinstream:problem:<code>`.' }),
    title: z.string().meta({ description: 'The kind of problem in words.' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What is wrong this time, and what it should be.' }),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    parameter: z
      .string()
      .optional()
      .meta({ description: 'The parameter at fault: the first, where several are.' }),
    faults: z
      .array(z.object({ parameter: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'All parameters at fault.' }),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export interface ProblemDetails {
  readonly detail: string;
  readonly faults?: readonly { readonly parameter: string; readonly detail: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The type under which a kind of problem is known, for good. */
export function problemType(code: ProblemCode): string {
  return `urn:twinstream:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

export function problemDocument(code: ProblemCode, { detail, faults }: ProblemDetails): Problem {
  const { status, title } = PROBLEMS[code];
  const first = faults?.[0];
  return {
    type: problemType(code),
    title,
    status,
    detail,
    code,
    ...(first === undefined ? {} : { parameter: first.parameter, faults: [...(faults ?? [])] }),
  };
}

/** The answer that says no. Problems are never cached. */
export function problemResponse(code: ProblemCode, details: ProblemDetails): Response {
  return new Response(JSON.stringify(problemDocument(code, details)), {
    status: PROBLEMS[code].status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...details.headers },
  });
}

/** One parameter at fault. */
export function badParameter(parameter: string, detail: string): Response {
  return problemResponse('BAD_PARAMETER', {
    detail: `${parameter}: ${detail}`,
    faults: [{ parameter, detail }],
  });
}

export function badCursor(): Response {
  return problemResponse('BAD_CURSOR', {
    detail: 'take the cursor of the answer before, and repeat its query',
    faults: [{ parameter: 'cursor', detail: 'does not belong to this query' }],
  });
}
