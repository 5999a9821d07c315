import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/** How long a browser remembers what it may ask, in seconds. */
const REMEMBERED_SECONDS = 600;

/** What pages of other origins may do: read. The same on AWS, where the HTTP API answers for it. */
export const CROSS_ORIGIN = {
  methods: ['GET', 'HEAD'],
  requestHeaders: ['Accept', 'Authorization', 'If-None-Match', 'Last-Event-ID'],
  responseHeaders: ['As-Of', 'ETag', 'Next-Cursor', 'Retry-After'],
  rememberedSeconds: REMEMBERED_SECONDS,
} as const;

/**
 * Lets pages of some origins read answers (Fetch standard, "CORS protocol"). Credentials of the browser are not among what they
 * may send: a token is. Origins that are not listed get no header, so that a browser refuses them the answer.
 *
 * @param origins such as `https://grafana.example`, without a slash at the end
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  const answer = cors({
    origin: [...origins],
    allowMethods: [...CROSS_ORIGIN.methods],
    allowHeaders: [...CROSS_ORIGIN.requestHeaders],
    exposeHeaders: [...CROSS_ORIGIN.responseHeaders],
    maxAge: CROSS_ORIGIN.rememberedSeconds,
  });
  return async (context, next) => {
    const origin = context.req.header('origin');
    if (origin !== undefined && origins.includes(origin)) return answer(context, next);
    await next();
    // An answer for one origin is not that for another.
    context.header('vary', 'Origin', { append: true });
    return undefined;
  };
}
