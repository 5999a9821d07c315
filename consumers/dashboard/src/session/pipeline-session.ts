import { computed, signal } from '@preact/signals';
import type { DeviceJson, PipelineStatus } from '@twinstream/api-contract';
import { readPipeline } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { type ShardSample, sampleOf, withSample } from '../model/shard-samples.ts';
import { serverNow } from './clock.ts';
import { noteAnswer, noteAsOf, noteFailure } from './connection.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_000;

export const pipeline = signal<PipelineStatus | undefined>(undefined);
export const pipelineFailure = signal<Failure | undefined>(undefined);
/** What was measured since the page was opened. */
export const shardSamples = signal<readonly ShardSample[]>([]);

/** A lag beyond it is unusual, and deserves a look: the mapping polls each shard once a second. Milliseconds. */
export const USUAL_LAG_MS = 10_000;

/** The longest lag of a shard where it is unusual, in milliseconds: what is shown is then of the past. */
export const unusualLagMs = computed((): number | undefined => {
  const longest = Math.max(0, ...(pipeline.value?.shards ?? []).map(({ lagMs }) => lagMs ?? 0));
  return longest > USUAL_LAG_MS ? longest : undefined;
});

/** How much later than the stream the shard of a device is processed, in milliseconds; undefined while unknown. */
export function lagOfDevice({ position }: Pick<DeviceJson, 'position'>): number | undefined {
  const shards = pipeline.value?.shards ?? [];
  return shards.find(({ shardId }) => shardId === position?.shardId)?.lagMs ?? undefined;
}

/** Samples the pipeline, whatever view is open, so that its plots have a past when one looks. */
export function startPipeline(): void {
  startPoll({
    everyMs: () => POLL_MS,
    run: async (signal) => {
      const outcome = await readPipeline(signal);
      if (outcome.kind === 'aborted') return;
      if (outcome.kind !== 'answered') {
        pipelineFailure.value = outcome;
        noteFailure(outcome);
        return;
      }
      pipelineFailure.value = undefined;
      pipeline.value = outcome.value;
      shardSamples.value = withSample(shardSamples.peek(), sampleOf(outcome.value, serverNow()));
      noteAnswer(outcome.serverTime);
      noteAsOf('pipeline', Date.parse(outcome.value.asOf));
    },
  });
}
