import { type Context, Hono } from 'hono';
import type { Endpoint } from './endpoint.ts';
import { problemResponse } from './problem.ts';
import { deviceEndpoint } from './routes/device.ts';
import { deviceEventsEndpoint } from './routes/device-events.ts';
import { devicesEndpoint } from './routes/devices.ts';
import { healthEndpoint } from './routes/healthz.ts';
import { pipelineEndpoint } from './routes/pipeline.ts';
import { securityHeaders } from './security-headers.ts';
import type { QueryApiServices } from './services.ts';

/** All operations, in the order in which the documentation shows them. */
export const ENDPOINTS: readonly Endpoint[] = [
  healthEndpoint,
  devicesEndpoint,
  deviceEndpoint,
  deviceEventsEndpoint,
  pipelineEndpoint,
];

/** The API, whatever drives it. It holds nothing of its own: everything comes with the services. */
export function createApp(services: QueryApiServices): Hono {
  const app = new Hono();
  app.use(securityHeaders);
  for (const endpoint of ENDPOINTS) {
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(endpoint.method, path, (context) => endpoint.answer(rawRequest(context), services));
  }
  for (const path of new Set(ENDPOINTS.map((endpoint) => endpoint.path))) refuseOtherMethods(app, path);
  app.notFound(() => problemResponse('NOT_FOUND', { detail: 'see /openapi.json for what there is' }));
  app.onError((error, context) => {
    services.logger.error(
      { error, method: context.req.method, path: context.req.routePath },
      'request failed',
    );
    return problemResponse('INTERNAL', { detail: 'the cause is in the log of the server' });
  });
  return app;
}

function rawRequest(context: Context): RawRequestOf {
  const { req } = context;
  return {
    params: req.param(),
    query: req.queries(),
    header: (name) => req.header(name),
    json: () => req.json(),
    signal: req.raw.signal,
  };
}
type RawRequestOf = Parameters<Endpoint['answer']>[0];

function refuseOtherMethods(app: Hono, path: string): void {
  const methods = ENDPOINTS.filter((endpoint) => endpoint.path === path).map((e) => e.method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), () =>
    problemResponse('METHOD_NOT_ALLOWED', { detail: `this path takes ${allow}`, headers: { allow } }),
  );
}
