import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';

/** A request that has its answer; of a stream of updates, its first bytes. */
export interface AnsweredRequest {
  /** Path of the operation as the contract writes it; `other` for pages, and for what is not there. */
  readonly route: string;
  /** `OTHER` for methods that no operation takes. */
  readonly method: string;
  readonly status: number;
  readonly durationS: number;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);
const MS_PER_SECOND = 1_000;

/**
 * Tells of each request once it is answered.
 *
 * @param routes paths of the contract by the path that the router has for them
 */
export function observeRequests(
  routes: ReadonlyMap<string, string>,
  observe: (request: AnsweredRequest) => void,
): MiddlewareHandler {
  return async (context, next) => {
    const startMs = performance.now();
    await next();
    const { method } = context.req;
    const matched = matchedRoutes(context).find(({ path }) => routes.has(path));
    observe({
      route: routes.get(matched?.path ?? '') ?? 'other',
      method: METHODS.has(method) ? method : 'OTHER',
      status: context.res.status,
      durationS: (performance.now() - startMs) / MS_PER_SECOND,
    });
  };
}
