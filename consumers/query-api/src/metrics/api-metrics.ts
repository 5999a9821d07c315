import {
  addScrapedMetrics,
  type Exposition,
  type MetricsPeer,
  mergeExpositions,
  processRegistry,
  scrapedPeers,
} from '@twinstream/telemetry';
import { Counter, Histogram } from 'prom-client';
import type { QueryApiServices } from '../services.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import type { AnsweredRequest } from './request-observer.ts';

/** Metrics of a process of the API, and of the processes beside it. */
export interface ApiMetrics {
  /** Counts a request. */
  readonly observe: (request: AnsweredRequest) => void;
  /** Reads everything for a scrape. A scrape keeps the fleet view awake, as any request for the fleet does. */
  readonly expose: () => Promise<Exposition>;
}

export interface ApiMetricsOptions {
  readonly services: Pick<QueryApiServices, 'fleet' | 'pipeline' | 'updates' | 'clock' | 'logger'>;
  /** Processes whose metrics are scraped with those of this one. Default: none. */
  readonly peers?: readonly MetricsPeer[];
}

/** From what memory answers in to what the history of a device takes, in seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export async function createApiMetrics({ services, peers = [] }: ApiMetricsOptions): Promise<ApiMetrics> {
  const registry = await processRegistry('query-api');
  const requests = new Counter({
    name: 'twinstream_api_requests_total',
    help: 'Requests answered, by path of the contract, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'twinstream_api_request_duration_seconds',
    help: 'Time to the answer, by path of the contract and method; of a stream of updates, to its first bytes.',
    labelNames: ['route', 'method'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  const beside = scrapedPeers(peers, ({ process, url }, error) =>
    services.logger.info({ process, url, error }, 'process did not answer for its metrics'),
  );
  await addScrapedMetrics(registry, [
    {
      type: 'gauge',
      name: 'twinstream_api_update_clients',
      help: 'Open streams of updates.',
      samples: () => [{ value: services.updates.clientCount }],
    },
    ...(peers.length === 0 ? [] : [beside.up]),
  ]);
  const readFleet = fleetMetrics(registry, services);
  return {
    observe: ({ route, method, status, durationS }) => {
      requests.inc({ route, method, status });
      durations.observe({ route, method }, durationS);
    },
    expose: async () => {
      const [texts] = await Promise.all([beside.scrape(), readFleet()]);
      return {
        contentType: registry.contentType,
        text: mergeExpositions([await registry.metrics(), ...texts]),
      };
    },
  };
}
