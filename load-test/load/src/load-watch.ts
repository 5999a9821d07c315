import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { dynamoDbShardProgressTable } from '@twinstream/latest-state';
import type { Deployment } from './deployment.ts';
import { OBSERVE_EVERY_MS } from './load-figures.ts';
import {
  type ProgressObserver,
  preciseNow,
  progressObserver,
  type Repetition,
  repeatedly,
  type StateObserver,
  stateObserver,
} from './observers.ts';
import { type ProcessSampler, processLister, processSampler } from './process-sampler.ts';
import type { SampledDevices } from './sampled-devices.ts';

const SAMPLE_PROCESSES_EVERY_MS = 1_000;

/** What is read repeatedly while load runs, until it is closed. */
export interface LoadWatch {
  readonly states: StateObserver;
  readonly progress: ProgressObserver;
  readonly processes: ProcessSampler;
  /** From now on, processes too: what they took before is not counted. */
  watchProcesses(): void;
  /** One more look at states, then none. */
  finish(): Promise<void>;
  /** Looks that failed and were taken again. */
  failures(): number;
  close(): Promise<void>;
}

/** Begins to look at the states of these devices, and at shard progress where it is kept. */
export function watchLoad({ access, hasProgress, runsHere }: Deployment, sampled: SampledDevices): LoadWatch {
  const dynamoDb = dynamoDbClient(access.clients.dynamoDb);
  const states = stateObserver({
    client: dynamoDb,
    tableName: access.deviceStateTable,
    deviceIds: [...sampled.hot, ...sampled.others],
    now: preciseNow,
  });
  const progress = progressObserver({
    table: dynamoDbShardProgressTable(dynamoDb, { tableName: access.shardProgressTable }),
    streamName: access.stream,
    now: preciseNow,
  });
  const processes = processSampler({ list: processLister(), now: preciseNow, rootPid: process.pid });
  const looking: Repetition[] = [
    repeatedly(OBSERVE_EVERY_MS, () => states.observe()),
    ...(hasProgress ? [repeatedly(OBSERVE_EVERY_MS, () => progress.observe())] : []),
  ];
  const stopLooking = async () => {
    for (const look of looking) look.stop();
    await Promise.all(looking.map((look) => look.stopped));
  };
  return {
    states,
    progress,
    processes,
    watchProcesses() {
      if (runsHere) looking.push(repeatedly(SAMPLE_PROCESSES_EVERY_MS, () => processes.sample()));
    },
    async finish() {
      await states.observe();
      await stopLooking();
    },
    failures: () => looking.reduce((sum, look) => sum + look.failures(), 0),
    async close() {
      await stopLooking();
      dynamoDb.destroy();
    },
  };
}
