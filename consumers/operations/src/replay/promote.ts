import { refusal } from '@twinstream/command-line';
import type { TableNames } from '@twinstream/table-generation';
import { type CommandContext, tell } from '../command/command-context.ts';
import { streamFacts } from '../shard-reads.ts';
import { existingTables } from './fresh-tables.ts';
import { heldFromMs, type PromotionCounts, promoteTables } from './promotion/promote-tables.ts';
import type { ReplayJob } from './replay-job.ts';
import { replayServices, tablesOf } from './replay-services.ts';

export interface Promotion extends PromotionCounts, TableNames {
  readonly job: string;
  readonly generation: string;
  /** Id of the generation whose place it took. */
  readonly previous: string;
  /** The tables hold nothing from before this arrival, milliseconds since 1970; 0: they hold everything. */
  readonly heldFromMs: number;
  /** How long the live projector was paused. */
  readonly pausedMs: number;
}

/** Throws a refusal unless the job has filled tables that may be put into use. */
export async function checkPromotable({ services, host }: CommandContext, job: ReplayJob): Promise<void> {
  const { spec, status, failureCount, promotedTime } = job;
  if (spec.target !== 'fresh' || spec.tables === undefined) {
    throw refusal('NOT_PROMOTABLE', `job ${job.id} has no fresh tables: replay start … --into fresh`);
  }
  if (promotedTime !== undefined)
    throw refusal('ALREADY_PROMOTED', `the tables of job ${job.id} were put into use before`);
  if (status !== 'completed') {
    throw refusal('NOT_COMPLETED', `job ${job.id} is ${status}: replay start --resume ${job.id} first`);
  }
  if (failureCount > 0) {
    throw refusal('HAS_FAILURES', `job ${job.id} has ${failureCount} failures: its tables are not complete`);
  }
  if (spec.devices !== undefined || spec.shards !== undefined) {
    throw refusal(
      'NOT_ALL_DEVICES',
      `job ${job.id} holds some devices or shards alone: the others would be gone`,
    );
  }
  const found = await existingTables(services.dynamoDb, spec.tables, host.stop);
  if (found.length < 2) throw refusal('TABLES_GONE', `the tables of job ${job.id} are not there any more`);
}

/** The arrival before which the tables of a job hold nothing; 0 where they hold everything that their source had. */
export async function heldFrom({ services, host }: CommandContext, job: ReplayJob): Promise<number> {
  return heldFromMs(job, await streamFacts(services, host.stop));
}

/** Puts the tables of a finished replay into use: {@link promoteTables} over AWS. */
export async function promote(
  context: CommandContext,
  job: ReplayJob,
  functionTimeoutMs: number,
): Promise<Promotion> {
  const { services, host } = context;
  const { clock } = services;
  const { tables } = job.spec;
  if (tables === undefined) throw new TypeError('a job that is promoted has tables');
  const previous = await services.generation(host.stop);
  const stream = await streamFacts(services, host.stop);
  const replay = await replayServices(context, job, functionTimeoutMs, (what) => {
    if (what !== undefined) tell(context, `waits for ${what}`);
  });
  const isSwitched = previous.eventsTable === tables.eventsTable;
  const replaced = isSwitched ? (job.replaces ?? tables) : tablesOf(previous);
  let pausedMs = 0;
  const counts = await promoteTables(
    {
      ...replay,
      stores: services.stores(replaced),
      fresh: services.stores(tables),
      whilePaused: async (work, next) => {
        const startMs = clock.now();
        await replay.whilePaused(work, next);
        pausedMs = clock.now() - startMs;
      },
      ...{ stream, replaced, isSwitched },
    },
    job,
    host.stop,
  );
  return {
    job: job.id,
    generation: (await services.generation()).id,
    previous: previous.id,
    ...tables,
    ...counts,
    heldFromMs: heldFromMs(job, stream),
    pausedMs,
  };
}
