import type { Problem } from '@twinstream/api-contract';
import { keep, readKept } from '../kept.ts';

/** How a request ended. All of these are expected, and the page shows each differently. */
export type Outcome<T> =
  | { readonly kind: 'answered'; readonly value: T; readonly serverTime?: number }
  /** The API said no, or something that is no JSON. */
  | { readonly kind: 'refused'; readonly status: number; readonly title: string; readonly detail: string }
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

/**
 * Asks for JSON, of the type that the contract gives for this path. Never throws for what a network or a server can do. What
 * is answered is not checked again: page and API are built from one contract.
 */
export async function requestJson<T extends object>(path: string, signal?: AbortSignal): Promise<Outcome<T>> {
  const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, {
      headers: { accept: 'application/json', ...authorization() },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    body = await readBody(response);
  } catch (error) {
    if (signal?.aborted === true) return { kind: 'aborted' };
    if (timeout.aborted)
      return { kind: 'unreachable', detail: `no answer within ${ANSWER_MS_MAX / 1_000} s` };
    return { kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
  }
  if (!response.ok) return refusal(response, body);
  if (typeof body !== 'object' || body === null) {
    return {
      kind: 'refused',
      status: response.status,
      title: 'Answer not understood',
      detail: `${path} answered something else than JSON.`,
    };
  }
  const serverTime = Date.parse(response.headers.get('date') ?? '');
  return { kind: 'answered', value: body as T, ...(Number.isNaN(serverTime) ? {} : { serverTime }) };
}

/** The body as JSON; undefined for a body that is none. */
export async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
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
  const detail = member('detail') ?? `The API answered with status ${response.status}.`;
  if (isGateway && member('title') === undefined) return { kind: 'unreachable', detail };
  return { kind: 'refused', status: response.status, title: member('title') ?? 'Request refused', detail };
}
