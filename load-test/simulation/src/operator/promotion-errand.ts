import { type PromotionServices, promoteTables, type ReplayJob } from '@twinstream/operations';
import type { FreshTables } from './fresh-tables.ts';
import { JobWatch } from './job-watch.ts';
import type { Errand } from './operator.ts';
import { jobsReachedBy, replayServices } from './replay-services.ts';
import type { Surroundings } from './surroundings.ts';

const TABLES = { eventsTable: 'events', deviceStateTable: 'device-state' };
/** The stream of a world is young: it has everything. */
const STREAM = { createdMs: Number.MAX_SAFE_INTEGER, retentionMs: 1 };

/** Puts the tables of a finished replay into use, as `replay promote` does, as often as it takes. */
export function promotionErrand(around: Surroundings, id: string, fresh: FreshTables): Errand {
  const { stores: replaced, reach, scheduler, onViolation } = around;
  const watch = new JobWatch(0, () => scheduler.now, onViolation);
  return {
    name: 'promotion',
    attempt: async (process) => {
      const { owner } = process;
      const job: ReplayJob | undefined = await jobsReachedBy(owner, around).read(id);
      if (job === undefined) throw new Error(`there is no job ${id}`);
      if (job.promotedTime !== undefined) return;
      const services: PromotionServices = {
        ...replayServices(around, process, job, { fresh, watch, checkpointMs: 0 }),
        stores: reach(owner, replaced),
        fresh: reach(owner, fresh.stores),
        ...{ replaced: TABLES, stream: STREAM, isSwitched: around.stores !== replaced },
      };
      await promoteTables(services, job, new AbortController().signal);
    },
  };
}
