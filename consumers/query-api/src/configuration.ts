import { NAMES, PAGE_WRITING, PAGES_PER_SNAPSHOT_MAX, type PageWriting } from '@twinstream/pipeline-settings';
import {
  CodedError,
  type Environment,
  LOG_LEVELS,
  parseDurationMs,
  readConfiguration,
} from '@twinstream/runtime';
import { parseMetricsPeers } from '@twinstream/telemetry';
import { z } from 'zod';
import type { LivenessPolicy, LivenessThresholds } from './liveness.ts';

const duration = (text: string) =>
  z
    .string()
    .default(text)
    .transform((value, context) => {
      try {
        return parseDurationMs(value);
      } catch {
        context.addIssue({ code: 'custom', message: `must be a duration such as ${text}` });
        return z.NEVER;
      }
    });

const BY_TYPE_RULE =
  'must be <type>=<stale after>/<offline after>, with commas between: sensor=10m/1h,gate=1d/2d';

const byType = z
  .string()
  .default('')
  .transform((value, context) => {
    const thresholds = new Map<string, LivenessThresholds>();
    for (const entry of value === '' ? [] : value.split(',')) {
      const parts = /^(.+)=([^=/]+)\/([^=/]+)$/.exec(entry.trim());
      try {
        const [, type = '', stale = '', offline = ''] = parts ?? [];
        const [staleAfterMs, offlineAfterMs] = [parseDurationMs(stale), parseDurationMs(offline)];
        if (offlineAfterMs < staleAfterMs) throw new RangeError('offline before stale');
        thresholds.set(type, { staleAfterMs, offlineAfterMs });
      } catch {
        context.addIssue({ code: 'custom', message: BY_TYPE_RULE });
        return z.NEVER;
      }
    }
    return thresholds;
  });

const ORIGIN_RULE = 'must be origins with commas between: https://grafana.example,https://wall.example:8443';

const origins = z
  .string()
  .default('')
  .transform((value, context) => {
    const all = value === '' ? [] : value.split(',').map((origin) => origin.trim());
    // An origin is as a browser writes it: no path, no slash at its end (RFC 6454, 6.2).
    if (all.every((text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text))
      return all;
    context.addIssue({ code: 'custom', message: ORIGIN_RULE });
    return z.NEVER;
  });

const PEER_RULE =
  'must be <process>=<url>, with commas between: device-simulator=http://127.0.0.1:9465/metrics';

const metricsPeers = z
  .string()
  .default('')
  .transform((value, context) => {
    const peers = parseMetricsPeers(value);
    if (peers !== undefined) return peers;
    context.addIssue({ code: 'custom', message: PEER_RULE });
    return z.NEVER;
  });

const SCHEMA = z.object({
  TWINSTREAM_STREAM: z.string().default(NAMES.stream),
  TWINSTREAM_EVENTS_TABLE: z.string().default(NAMES.eventsTable),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string().default(NAMES.deviceStateTable),
  TWINSTREAM_SHARD_PROGRESS_TABLE: z.string().default(NAMES.shardProgressTable),
  TWINSTREAM_OPERATIONS_TABLE: z.string().optional(),
  TWINSTREAM_ARCHIVE_BUCKET: z.string('the bucket with the prefixes archive/ and quarantine/'),
  TWINSTREAM_MAPPING: z.string().optional(),
  TWINSTREAM_PAGES_PER_SNAPSHOT: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGES_PER_SNAPSHOT_MAX)
    .default(PAGE_WRITING.pagesPerSnapshot),
  TWINSTREAM_API_PORT: z.coerce
    .number('a port')
    .int('a port')
    .min(0, 'a port')
    .max(65_535, 'a port')
    .default(8_080),
  TWINSTREAM_DASHBOARD_DIR: z.string().optional(),
  TWINSTREAM_API_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  TWINSTREAM_JWT_ISSUER: z.url('the URL of an OpenID provider').optional(),
  TWINSTREAM_JWT_AUDIENCE: z.string().min(1, 'client ids, with commas between').optional(),
  TWINSTREAM_ALLOWED_ORIGINS: origins,
  TWINSTREAM_METRICS_PEERS: metricsPeers,
  TWINSTREAM_STALE_AFTER: duration('2m'),
  TWINSTREAM_OFFLINE_AFTER: duration('15m'),
  TWINSTREAM_LIVENESS_BY_TYPE: byType,
  TWINSTREAM_GAPS_AGE_OUT_AFTER: duration('0s'),
  TWINSTREAM_SAVE_VIEW_EVERY: duration('5m'),
  TWINSTREAM_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

/** Settings of the query API, from the environment. */
export function queryApiConfiguration(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  const { TWINSTREAM_STALE_AFTER: staleAfterMs, TWINSTREAM_OFFLINE_AFTER: offlineAfterMs } = values;
  if (offlineAfterMs < staleAfterMs) {
    throw new CodedError(
      'INVALID_CONFIGURATION',
      'configuration is invalid\n  TWINSTREAM_OFFLINE_AFTER: must not be less than TWINSTREAM_STALE_AFTER',
    );
  }
  const { TWINSTREAM_JWT_ISSUER: issuer, TWINSTREAM_JWT_AUDIENCE: audience } = values;
  if ((issuer === undefined) !== (audience === undefined)) {
    throw new CodedError(
      'INVALID_CONFIGURATION',
      'configuration is invalid\n  TWINSTREAM_JWT_ISSUER, TWINSTREAM_JWT_AUDIENCE: one needs the other',
    );
  }
  const liveness: LivenessPolicy = {
    default: { staleAfterMs, offlineAfterMs },
    byType: values.TWINSTREAM_LIVENESS_BY_TYPE,
  };
  const pageWriting: PageWriting = {
    ...PAGE_WRITING,
    pagesPerSnapshot: values.TWINSTREAM_PAGES_PER_SNAPSHOT,
  };
  return {
    streamName: values.TWINSTREAM_STREAM,
    eventsTable: values.TWINSTREAM_EVENTS_TABLE,
    deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    operationsTable: values.TWINSTREAM_OPERATIONS_TABLE,
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    /** Places of the projector's mapping documents, separated by commas; absent: none. */
    mapping: values.TWINSTREAM_MAPPING,
    /** How the projector lays out pages: a redrive writes the same. */
    pageWriting,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
    port: values.TWINSTREAM_API_PORT,
    dashboardDir: values.TWINSTREAM_DASHBOARD_DIR,
    token: values.TWINSTREAM_API_TOKEN,
    /** Whose tokens callers bring; then the server listens on all addresses. Absent: on loopback alone. */
    jwt:
      issuer === undefined || audience === undefined
        ? undefined
        : { issuer, audience: audience.split(',').map((id) => id.trim()) },
    /** Other origins whose pages may read. */
    origins: values.TWINSTREAM_ALLOWED_ORIGINS,
    /** Processes beside this one whose metrics are scraped with its own. */
    metricsPeers: values.TWINSTREAM_METRICS_PEERS,
    liveness,
    /** Gaps older than this are no longer trouble, in milliseconds; undefined: they always are. */
    gapsAgeOutMs: values.TWINSTREAM_GAPS_AGE_OUT_AFTER || undefined,
    /** Time between two savings of the fleet view, in milliseconds. */
    saveEveryMs: values.TWINSTREAM_SAVE_VIEW_EVERY,
    logLevel: values.TWINSTREAM_LOG_LEVEL,
  };
}
export type QueryApiConfiguration = ReturnType<typeof queryApiConfiguration>;
