import type { Operation, Scope } from '@twinstream/api-contract';
import { CodedError } from '@twinstream/runtime';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import type { Access, AccessDecision } from './access.ts';
import { allowOrigins } from './allowed-origins.ts';
import type { Endpoint, RawRequest } from './endpoint.ts';
import { type AnsweredRequest, observeRequests } from './metrics/request-observer.ts';
import { problemResponse } from './problem.ts';
import { securityHeaders } from './security-headers.ts';
import type { QueryApiServices } from './services.ts';

/** An event of 256 KiB, and room for the ways in which JSON can be written. */
const BODY_BYTES_MAX = 512 * 1024;

/**
 * Endpoints as one app, whatever drives it. It holds nothing of its own: everything comes with the services.
 *
 * @param origins other origins whose pages may read
 * @param observe is told of each request once it is answered
 */
export function httpApp<Services extends Pick<QueryApiServices, 'logger'>>(
  endpoints: readonly Endpoint<Services>[],
  services: Services,
  access: Access,
  origins: readonly string[] = [],
  observe?: (request: AnsweredRequest) => void,
): Hono {
  const app = new Hono();
  if (observe !== undefined) {
    const routes = new Map(endpoints.map(({ path }) => [routePath(path), path] as const));
    app.use(observeRequests(routes, observe));
  }
  app.use(securityHeaders);
  if (origins.length > 0) app.use(allowOrigins(origins));
  app.use(compress());
  app.use(async (context, next) => {
    const decision = await decide(access, 'open', context);
    return decision.allowed ? next() : decision.answer;
  });
  app.post(
    '*',
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: () => problemResponse('BODY_TOO_LARGE', { detail: `the limit is ${BODY_BYTES_MAX} bytes` }),
    }),
  );
  const paths = new Set(endpoints.map(({ path }) => path));
  for (const endpoint of endpoints) {
    app.on(endpoint.method, routePath(endpoint.path), async (context) => {
      const decision = await decide(access, endpoint.scope, context);
      return decision.allowed
        ? endpoint.answer(rawRequest(context, decision.actor), services)
        : decision.answer;
    });
  }
  for (const path of paths) refuseOtherMethods(app, path, methodsOf(endpoints, path));
  app.notFound(() => problemResponse('NOT_FOUND', { detail: 'see /openapi.json for what there is' }));
  app.onError((error, context) => {
    const { method, routePath: path } = context.req;
    services.logger.error({ error, method, path }, 'request failed');
    const mayPass = error instanceof CodedError && error.retryable;
    return mayPass
      ? problemResponse('UNAVAILABLE', { detail: 'try again', headers: { 'retry-after': '1' } })
      : problemResponse('INTERNAL', { detail: 'the cause is in the log of the server' });
  });
  return app;
}

function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function decide(access: Access, scope: Scope, context: Context): AccessDecision | Promise<AccessDecision> {
  return access(scope, { header: (name) => context.req.header(name), env: context.env });
}

function rawRequest({ req }: Context, actor: string | undefined): RawRequest {
  return {
    method: req.method,
    params: req.param(),
    query: req.queries(),
    header: (name) => req.header(name),
    text: () => req.text(),
    actor,
    getSignal: () => req.raw.signal,
  };
}

function methodsOf(endpoints: readonly Operation[], path: string): string[] {
  return endpoints.filter((endpoint) => endpoint.path === path).map(({ method }) => method.toUpperCase());
}

function refuseOtherMethods(app: Hono, path: string, methods: readonly string[]): void {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  app.all(routePath(path), () =>
    problemResponse('METHOD_NOT_ALLOWED', { detail: `this path takes ${allow}`, headers: { allow } }),
  );
}
