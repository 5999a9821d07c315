import { CodedError, shutdownSignal } from '@twinstream/runtime';
import { awsServices } from './aws-services.ts';
import { queryApiConfiguration } from './configuration.ts';
import { jwtAccess } from './jwt-access.ts';
import { startQueryApi } from './local.ts';
import { createApiMetrics } from './metrics/api-metrics.ts';
import { openDecoder } from './open-decoder.ts';

/** Runs the API as a process of its own, until SIGTERM or Ctrl-C, and says where on standard output. */
async function main(): Promise<void> {
  const stopping = shutdownSignal();
  const configuration = queryApiConfiguration(process.env);
  const { port, dashboardDir, token, jwt, origins } = configuration;
  const decoder = await openDecoder(configuration.mapping);
  const services = awsServices(configuration, { isLongLived: true, decoder });
  try {
    const metrics = await createApiMetrics({ services, peers: configuration.metricsPeers });
    const api = await startQueryApi({
      port,
      services,
      origins,
      metrics,
      ...(dashboardDir === undefined ? {} : { dashboardDir }),
      ...(token === undefined ? {} : { token }),
      ...(jwt === undefined ? {} : { access: jwtAccess(jwt) }),
    });
    process.stdout.write(`${JSON.stringify({ url: api.url })}\n`);
    await aborted(stopping);
    await api.close();
  } finally {
    await services.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof CodedError;
  process.stderr.write(`query-api: ${isExpected ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
