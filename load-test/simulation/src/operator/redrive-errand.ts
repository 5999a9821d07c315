import { findQuarantined } from '@twinstream/operations';
import { redrive } from '@twinstream/projection';
import { createLogger } from '@twinstream/runtime';
import { eventsOf, mendedEventsOf } from '../devices.ts';
import { MEND } from '../flawed-events.ts';
import { Violation } from '../violation.ts';
import type { Errand } from './operator.ts';
import { supervised } from './supervision.ts';
import { STREAM_NAME, type Surroundings } from './surroundings.ts';

const SILENT = createLogger('simulation', 'silent');

/** Mends what can be mended of all that is in quarantine, as `quarantine redrive` does. */
export function redriveErrand(around: Surroundings, onStored: () => void): Errand {
  const { scheduler, stores, reach, pageWriting } = around;
  return {
    name: 'redrive',
    attempt: async ({ owner }) => {
      const { signal } = new AbortController();
      const live = reach(owner, stores);
      const eventStore = supervised(
        live.eventStore,
        { ...around, ...stores, streamName: STREAM_NAME },
        () => 'added',
      );
      const now = () => scheduler.now;
      const records = findQuarantined(live.quarantine, {}, [], now(), signal);
      const { latestState } = live;
      const services = {
        ...live,
        // One operator does one thing after the other: nothing is switched meanwhile.
        tablesInUse: async () => ({ eventStore, latestState, generation: 'the same' }),
        ...{ streamName: STREAM_NAME, logger: SILENT, now, pageWriting },
      };
      const options = {
        transform: MEND,
        decoder: around.decoder,
        execute: true,
        reason: 'a flaw',
        actor: 'operator',
        signal,
      };
      for await (const result of redrive(services, records, options)) {
        if (result.outcome !== 'stored' && result.outcome !== 'already-stored') continue;
        checkStored(around, result);
        if (result.outcome === 'stored') onStored();
      }
    },
  };
}

function checkStored(
  { stream, oracle }: Surroundings,
  {
    shardId,
    sequenceNumber,
    subSequenceNumber,
  }: { shardId: string; sequenceNumber: string; subSequenceNumber: number },
): void {
  const shard = stream.shards.find((candidate) => candidate.shardId === shardId);
  const record = shard?.records.find((candidate) => candidate.sequenceNumber === sequenceNumber);
  const events =
    shard === undefined || record === undefined
      ? []
      : [...eventsOf(shard, record), ...mendedEventsOf(shard, record)];
  const event = events.find(({ place }) => place.subSequenceNumber === subSequenceNumber);
  if (event !== undefined && oracle.pageOf(event.deviceId, event.identity) !== undefined) return;
  throw new Violation('what a redrive calls stored is stored', `${shardId} ${sequenceNumber}`);
}
