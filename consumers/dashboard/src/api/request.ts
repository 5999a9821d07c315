import type { Problem } from '@twinstream/api-contract';
import { keep, readKept } from '../kept.ts';

/** How a request ended. All of these are expected, and the page shows each differently. */
export type Outcome<T> =
  | { readonly kind: 'answered'; readonly value: T; readonly serverTime?: number }
  /** The API refused, or its answer is not JSON. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly title: string;
      readonly detail: string;
      /** Code of the problem, and the members of the request at fault, where the API names them. */
      readonly code?: string;
      readonly faults?: Problem['faults'];
    }
  /** Nobody answered, or not in time. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  | { readonly kind: 'aborted' };

export type Failure = Exclude<Outcome<never>, { kind: 'answered' } | { kind: 'aborted' }>;

/** Longest wait for one answer. */
const ANSWER_MS_MAX = 15_000;
const TOKEN_KEY = 'twinstream.token';

/** The access token of this tab, where the API asks for one. */
function readToken(): string | undefined {
  return readKept('sessionStorage', TOKEN_KEY);
}

export function keepToken(token: string): void {
  keep('sessionStorage', TOKEN_KEY, token);
}

/** Headers of every request: the token, if there is one. */
export function authorization(): Record<string, string> {
  const token = readToken();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** What the server answered well, and its body. */
interface Received {
  readonly response: Response;
  readonly text: string;
}

/** Asks, and reads the answer. Never throws for what a network or a server can do. */
async function ask(
  path: string,
  signal: AbortSignal | undefined,
  init: RequestInit,
): Promise<Outcome<Received>> {
  const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...authorization(), ...init.headers },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) return { kind: 'aborted' };
    if (timeout.aborted)
      return { kind: 'unreachable', detail: `no answer within ${ANSWER_MS_MAX / 1_000} s` };
    return { kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
  }
  if (!response.ok) return refusal(response, jsonOf(text));
  const serverTime = Date.parse(response.headers.get('date') ?? '');
  const value = { response, text };
  return { kind: 'answered', value, ...(Number.isNaN(serverTime) ? {} : { serverTime }) };
}

/**
 * Asks for JSON, of the type that the contract gives for this path. What is answered is not checked again: page and API are
 * built from one contract.
 */
export async function requestJson<T extends object>(
  path: string,
  signal?: AbortSignal,
  init: RequestInit = {},
): Promise<Outcome<T>> {
  const outcome = await ask(path, signal, {
    ...init,
    headers: { accept: 'application/json', ...init.headers },
  });
  if (outcome.kind !== 'answered') return outcome;
  const body = jsonOf(outcome.value.text);
  if (typeof body !== 'object' || body === null) {
    return {
      kind: 'refused',
      status: outcome.value.response.status,
      title: 'Answer not understood',
      detail: `${path} answered something else than JSON.`,
    };
  }
  return { ...outcome, value: body as T };
}

/** A page of a list in another media type than JSON, and the cursor of the next. */
export async function requestText(
  path: string,
  accept: string,
): Promise<Outcome<{ readonly text: string; readonly nextCursor: string | undefined }>> {
  const outcome = await ask(path, undefined, { headers: { accept } });
  if (outcome.kind !== 'answered') return outcome;
  const { response, text } = outcome.value;
  return { ...outcome, value: { text, nextCursor: response.headers.get('next-cursor') ?? undefined } };
}

/** Sends JSON, or a text that is JSON. Where nobody answers the outcome is unknown: it may have been done. */
export function sendJson<T extends object>(
  path: string,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Outcome<T>> {
  return requestJson(path, undefined, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The body as JSON; undefined for a body that is none. */
export async function readBody(response: Response): Promise<unknown> {
  return jsonOf(await response.text());
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What an answer other than 2xx means, from its problem document (RFC 9457) where there is one. */
export function refusal(response: Response, body: unknown): Failure {
  const member = (name: keyof Problem): string | undefined => {
    const value = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const isGateway = response.status === 502 || response.status === 503 || response.status === 504;
  const detail =
    member('detail') ??
    (response.status === 403
      ? 'Your rights do not include this: it takes those to change something (twinstream/write).'
      : `The API answered with status ${response.status}.`);
  if (isGateway && member('title') === undefined) return { kind: 'unreachable', detail };
  const code = member('code');
  const faults = typeof body === 'object' && body !== null ? (body as Partial<Problem>).faults : undefined;
  return {
    kind: 'refused',
    status: response.status,
    title: member('title') ?? 'Request refused',
    detail,
    ...(code === undefined ? {} : { code }),
    ...(faults === undefined ? {} : { faults }),
  };
}
