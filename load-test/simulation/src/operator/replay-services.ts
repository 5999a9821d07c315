import type { KinesisClient } from '@aws-sdk/client-kinesis';
import {
  archiveSource,
  type JobStore,
  type ReplayJob,
  type ReplayServices,
  streamSource,
} from '@twinstream/operations';
import { CodedError, createLogger } from '@twinstream/runtime';
import { simKinesis } from '../sim-kinesis.ts';
import type { FreshTables } from './fresh-tables.ts';
import type { JobWatch } from './job-watch.ts';
import type { OperatorProcess } from './operator.ts';
import { type OperatorWrite, supervised } from './supervision.ts';
import { STREAM_NAME, type Surroundings } from './surroundings.ts';

const SILENT = createLogger('simulation', 'silent');
/** Time between two looks at whether the paused projector has come to rest. */
const PAUSE_POLL_MS = 20;

/** What one process reaches for one job: the real code of a replay, over the simulated network. */
export function replayServices(
  around: Surroundings,
  process: OperatorProcess,
  job: ReplayJob,
  {
    fresh,
    watch,
    checkpointMs,
  }: { readonly fresh?: FreshTables; readonly watch: JobWatch; readonly checkpointMs: number },
): ReplayServices {
  const { scheduler, random, network, stream, archive, stores, reach, containers, pageWriting } = around;
  const { owner } = process;
  const clock = scheduler.clockOf(owner);
  const live = reach(owner, stores);
  const draw = () => random.next();
  const client = simKinesis(owner, stream, network, random) as KinesisClient;
  return {
    jobs: jobsReachedBy(owner, around),
    stores: {
      ...live,
      eventStore: supervised(live.eventStore, { ...around, ...stores, streamName: STREAM_NAME }, () =>
        writeOf(job),
      ),
    },
    fresh: fresh && reach(owner, fresh.stores),
    quarantine: live.quarantine,
    shardProgress: live.shardProgress,
    streamName: STREAM_NAME,
    sourceOf: (source) =>
      watch.watched(process, job, () =>
        source === 'archive'
          ? archiveSource({ objects: archive.objects(owner) })
          : streamSource({ client, streamName: STREAM_NAME, clock, random: draw }, { isPolite: false }),
      ),
    write: async () => undefined,
    whilePaused: async (work, next) => {
      containers.pause();
      try {
        while (!containers.isIdle) await clock.sleep(PAUSE_POLL_MS);
        await work();
        const { stores: before } = around;
        await network.call(owner, 'generation put', async () => {
          // An earlier attempt may have resumed it, or have switched.
          if (!containers.isPaused || around.stores !== before)
            throw new CodedError('PROJECTOR_RESUMED', 'simulated', { retryable: true });
          if (next !== undefined && fresh !== undefined) around.switchTo(fresh);
        });
        await next?.settle();
      } finally {
        containers.resume();
      }
    },
    clock,
    random: draw,
    logger: SILENT,
    newRunner: () => ({ token: owner, host: 'operator', pid: 1 }),
    pageWriting,
    checkpointMs,
    decoder: around.decoder,
  };
}

function writeOf({ pass }: ReplayJob): OperatorWrite {
  if (pass === 'survey' || pass === 'restore') return 'restored';
  return pass === 'rebuild' ? 'rebuilt' : 'added';
}

export function jobsReachedBy(
  owner: string,
  { network, jobs }: Pick<Surroundings, 'network' | 'jobs'>,
): JobStore {
  const call = <Answer>(name: string, effect: () => Promise<Answer>, signal?: AbortSignal) =>
    network.call(owner, name, effect, signal);
  return {
    create: (job, signal) =>
      call(
        'job create',
        onCopy(job, (copy) => jobs.create(copy)),
        signal,
      ),
    read: (id, signal) => call('job read', () => jobs.read(id), signal),
    list: (signal) => call('job list', () => jobs.list(), signal),
    takeOver: (job, previous, signal) =>
      call(
        'job take-over',
        onCopy(job, (copy) => jobs.takeOver(copy, previous)),
        signal,
      ),
    save: (job, signal) =>
      call(
        'job save',
        onCopy(job, (copy) => jobs.save(copy)),
        signal,
      ),
    requestCancel: (id, signal) => call('job cancel', () => jobs.requestCancel(id), signal),
  };
}

/** A request holds the job as it was when it was sent, whenever it lands. */
function onCopy<Answer>(job: ReplayJob, effect: (copy: ReplayJob) => Promise<Answer>): () => Promise<Answer> {
  const copy = structuredClone(job);
  return () => effect(copy);
}
