import { z } from 'zod';

/** Error responses of the API (RFC 9457): status and title by stable code. */
export const PROBLEMS = {
  BAD_PARAMETER: { status: 400, title: 'Invalid parameter' },
  BAD_BODY: { status: 400, title: 'Invalid request body' },
  BAD_CURSOR: { status: 400, title: 'The cursor belongs to another query' },
  BAD_REQUEST: { status: 400, title: 'Malformed HTTP request' },
  UNAUTHENTICATED: { status: 401, title: 'Authentication required' },
  NOT_ALLOWED: { status: 403, title: 'Forbidden' },
  DEVICE_NOT_FOUND: { status: 404, title: 'Unknown device' },
  STATE_MISSING: { status: 404, title: 'The device has stored events but no state' },
  NO_STATE_AT_TIME: { status: 404, title: 'The device had no state at that time' },
  CORRECTION_AHEAD: { status: 409, title: 'The correction names an event that the device has not reached' },
  CORRECTED_EVENT_NOT_STORED: { status: 409, title: 'The correction names an event that is not stored' },
  NO_SUCH_TROUBLE: { status: 409, title: 'The device has no such trouble' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  NOT_IN_QUARANTINE: { status: 404, title: 'The record is not in quarantine' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  CURSOR_EXPIRED: { status: 410, title: 'The list of this cursor is no longer kept' },
  BODY_TOO_LARGE: { status: 413, title: 'Request body too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type: use application/json' },
  HEADERS_TOO_LARGE: { status: 431, title: 'Request line and headers too large' },
  TOO_MANY_STREAMS: { status: 429, title: 'Too many open update streams' },
  INTERNAL: { status: 500, title: 'Internal error' },
  NO_OPERATIONS_TABLE: { status: 503, title: 'This API has no table of operators' },
  UNAVAILABLE: { status: 503, title: 'A store of this API is unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem details, with the members that this API adds. */
export const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: 'Stable name of the kind of problem: `urn:twinstream:problem:<code>`.' }),
    title: z.string().meta({ description: 'Title of the kind of problem.' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'The error of this request and the expected value.' }),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    parameter: z.string().optional().meta({ description: 'The first invalid parameter.' }),
    faults: z
      .array(z.object({ parameter: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'All invalid parameters.' }),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

/** The stable type URN of a problem. */
export function problemType(code: ProblemCode): string {
  return `urn:twinstream:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}
