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
  CORRECTION_AHEAD: { status: 409, title: 'The correction names an event that the device has not reached' },
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

/** The type under which a kind of problem is known, for good. */
export function problemType(code: ProblemCode): string {
  return `urn:twinstream:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}
