import type { ShardId } from '@twinstream/stream-model';
import type { ConsumerEvent } from './shard-consumer.ts';

/** What a mapping has done with one shard since it was started. */
export interface ShardMetrics {
  records: number;
  /** Milliseconds between the last read and the newest record of the shard then. */
  millisBehindLatest: number;
  /** Records that the filter left out. */
  filtered: number;
  invocations: number;
  functionErrors: number;
  unavailable: number;
  partialAnswers: number;
  bisections: number;
  retries: number;
  /** Records given up. */
  discarded: number;
  discardFailures: number;
  readThrottles: number;
  readFailures: number;
}

const NOTHING: ShardMetrics = {
  records: 0,
  millisBehindLatest: 0,
  filtered: 0,
  invocations: 0,
  functionErrors: 0,
  unavailable: 0,
  partialAnswers: 0,
  bisections: 0,
  retries: 0,
  discarded: 0,
  discardFailures: 0,
  readThrottles: 0,
  readFailures: 0,
};

/** As the Lambda API words it. */
export type ProcessingResult = 'No records processed' | 'OK' | 'PROBLEM: Function call failed';

/** Counts what the consumers of a mapping report. */
export interface MappingMetrics {
  observe(shardId: ShardId, event: ConsumerEvent): void;
  shards(): Readonly<Record<string, Readonly<ShardMetrics>>>;
  lastProcessingResult(): ProcessingResult;
}

export function mappingMetrics(): MappingMetrics {
  const shards = new Map<ShardId, ShardMetrics>();
  let result: ProcessingResult = 'No records processed';
  return {
    observe: (shardId, event) => {
      const metrics = shards.get(shardId) ?? { ...NOTHING };
      shards.set(shardId, metrics);
      count(metrics, event);
      if (event.kind === 'invoked') {
        result = event.outcome === 'answered' ? 'OK' : 'PROBLEM: Function call failed';
      }
    },
    shards: () => Object.fromEntries([...shards].map(([shardId, metrics]) => [shardId, { ...metrics }])),
    lastProcessingResult: () => result,
  };
}

function count(metrics: ShardMetrics, event: ConsumerEvent): void {
  switch (event.kind) {
    case 'read':
      metrics.records += event.records;
      metrics.millisBehindLatest = event.millisBehindLatest;
      break;
    case 'filtered':
      metrics.filtered += event.records;
      break;
    case 'invoked':
      metrics.invocations += event.outcome === 'unavailable' ? 0 : 1;
      metrics.functionErrors += event.outcome === 'function-error' ? 1 : 0;
      metrics.unavailable += event.outcome === 'unavailable' ? 1 : 0;
      break;
    case 'partial':
      metrics.partialAnswers += 1;
      break;
    case 'bisected':
      metrics.bisections += 1;
      break;
    case 'retry':
      metrics.retries += 1;
      break;
    case 'discarded':
      metrics.discarded += event.records;
      break;
    case 'discard-failed':
      metrics.discardFailures += 1;
      break;
    case 'read-throttled':
      metrics.readThrottles += 1;
      break;
    case 'read-failed':
      metrics.readFailures += 1;
      break;
  }
}
