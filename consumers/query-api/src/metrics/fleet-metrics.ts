import type { PipelineStatus } from '@twinstream/api-contract';
import { Gauge, type Registry } from 'prom-client';
import type { QueryApiServices } from '../services.ts';

type Sources = Pick<QueryApiServices, 'fleet' | 'pipeline' | 'clock' | 'logger'>;

const MS_PER_SECOND = 1_000;
/** What a scrape waits for stream and tables. Prometheus gives up after 10 s by default (`scrape_timeout`, read 2026-12). */
const READING_MS_MAX = 4_000;

/**
 * Gauges of fleet and pipeline, as the API answers for them. A figure that is not known is left out, and `twinstream_api_readable` says
 * which part cannot be read.
 *
 * @returns reads them for a scrape; never rejects
 */
export function fleetMetrics(registry: Registry, sources: Sources): () => Promise<void> {
  const { fleet, pipeline, clock, logger } = sources;
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `twinstream_${name}`, help, labelNames, registers: [registry] });
  const readable = gauge('api_readable', 'Whether a part could be read for this scrape.', ['part']);
  const devices = gauge('fleet_devices', 'Devices in the fleet view.');
  const age = gauge('fleet_age_seconds', 'Time since the moment as of which the fleet view is complete.');
  const caughtUp = gauge('fleet_caught_up', 'Whether the fleet view has held everything that was finished.');
  const shards = gauge('pipeline_shards', 'Shards of the stream, by state.', ['state']);
  const lag = gauge(
    'pipeline_lag_seconds',
    'Age of the oldest record of a shard that the projector has not finished; 0 without one.',
    ['shard'],
  );
  const backlog = gauge('pipeline_backlog_records', 'Records of a shard that wait to be processed.', [
    'shard',
  ]);
  const quarantined = gauge('quarantine_entries', 'Entries in quarantine.');
  const delivered = gauge(
    'archive_last_delivery_timestamp_seconds',
    'When the newest object of the archive was written, in seconds since 1970.',
  );
  const forget = (single: readonly Gauge[], labelled: readonly Gauge[]): void => {
    for (const one of single) one.remove();
    for (const one of labelled) one.reset();
  };
  const readFleet = async (): Promise<void> => {
    const { asOf, hasCaughtUp, deviceCount } = await fleet.current(AbortSignal.timeout(READING_MS_MAX));
    devices.set(deviceCount);
    age.set(Math.max(0, clock.now() - asOf) / MS_PER_SECOND);
    caughtUp.set(Number(hasCaughtUp));
  };
  const readPipeline = async (): Promise<void> => {
    const status = await within(READING_MS_MAX, pipeline());
    forget([delivered], [lag, backlog]);
    for (const state of ['OPEN', 'CLOSED'] as const) {
      shards.set({ state: state.toLowerCase() }, status.shards.filter((one) => one.state === state).length);
    }
    for (const { shardId: shard, lagMs, backlogRecords } of status.shards.filter(hasWork)) {
      if (lagMs !== null) lag.set({ shard }, lagMs / MS_PER_SECOND);
      if (backlogRecords !== null) backlog.set({ shard }, backlogRecords);
    }
    quarantined.set(status.quarantined);
    const { lastDeliveryTime } = status.archive;
    if (lastDeliveryTime !== null) delivered.set(Date.parse(lastDeliveryTime) / MS_PER_SECOND);
  };
  const attempt = async (part: string, read: () => Promise<void>, onFailure: () => void): Promise<void> => {
    try {
      await read();
      readable.set({ part }, 1);
    } catch (error) {
      onFailure();
      readable.set({ part }, 0);
      logger.info({ part, error }, 'not read for metrics');
    }
  };
  return async () => {
    await Promise.all([
      attempt('fleet', readFleet, () => forget([devices, age, caughtUp], [])),
      attempt('pipeline', readPipeline, () => forget([quarantined, delivered], [shards, lag, backlog])),
    ]);
  };
}

/** A closed shard that was read to its end stays listed for the time of the retention: nothing of it changes any more. */
function hasWork({ state, lagMs }: PipelineStatus['shards'][number]): boolean {
  return state === 'OPEN' || lagMs !== 0;
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
