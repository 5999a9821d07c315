import { PROBLEMS, type Problem, type ProblemCode, problemType } from '@twinstream/api-contract';

export interface ProblemDetails {
  readonly detail: string;
  readonly faults?: readonly { readonly parameter: string; readonly detail: string }[];
  readonly headers?: Readonly<Record<string, string>>;
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

/** One member of the body at fault. */
export function badBody(member: string, detail: string): Response {
  const parameter = `body.${member}`;
  return problemResponse('BAD_BODY', { detail: `${parameter}: ${detail}`, faults: [{ parameter, detail }] });
}

/** The list that a cursor goes on with is no longer kept, or is kept by another process. */
export function cursorExpired(): Response {
  return problemResponse('CURSOR_EXPIRED', {
    detail: 'read the list again from its first page; a list by deviceId has cursors that do not expire',
  });
}

export function badCursor(): Response {
  return problemResponse('BAD_CURSOR', {
    detail: 'take the cursor of the answer before, and repeat its query',
    faults: [{ parameter: 'cursor', detail: 'does not belong to this query' }],
  });
}
