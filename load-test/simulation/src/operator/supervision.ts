import type { EventPage } from '@twinstream/device-model';
import type { AuditableEventStore } from '@twinstream/event-store';
import type { ShardProgressTable } from '@twinstream/latest-state';
import { compareSequenceNumbers } from '@twinstream/stream-model';
import { eventsOf, mendedEventsOf } from '../devices.ts';
import { comparableText } from '../foreign-fleet.ts';
import type { Oracle } from '../oracle.ts';
import type { SimStream } from '../sim-stream.ts';
import { Violation } from '../violation.ts';

/** What a page that an operator's process is about to put may be. */
export type OperatorWrite = 'added' | 'restored' | 'rebuilt';

export interface SupervisionOptions {
  readonly oracle: Oracle;
  readonly stream: SimStream;
  readonly streamName: string;
  readonly shardProgress: Pick<ShardProgressTable, 'read'>;
  readonly onViolation: (error: unknown) => void;
}

/** The event store of the live tables in the hands of an operator: what leaves its process is checked before it leaves. */
export function supervised(
  eventStore: AuditableEventStore,
  options: SupervisionOptions,
  writes: () => OperatorWrite,
): AuditableEventStore {
  return {
    ...eventStore,
    appendPage: async (page, signal) => {
      try {
        await check(options, page, writes());
      } catch (error) {
        options.onViolation(error);
      }
      return eventStore.appendPage(page, signal);
    },
  };
}

async function check(options: SupervisionOptions, page: EventPage, write: OperatorWrite): Promise<void> {
  const { oracle } = options;
  const what = `${page.deviceId} page ${page.page}`;
  checkPlaces(options, page);
  if (write === 'restored') {
    if (page.page <= (oracle.pages.get(page.deviceId)?.length ?? 0)) return;
    throw new Violation('a repair restores what is missing, under its own number', what);
  }
  const progress = await options.shardProgress.read(options.streamName);
  const finishedThrough = progress.find(({ shardId }) => shardId === page.shardId)?.finishedThrough;
  if (
    finishedThrough === undefined ||
    compareSequenceNumbers(page.through.sequenceNumber, finishedThrough) > 0
  ) {
    throw new Violation('an operator adds nothing beyond shard progress', what);
  }
  if (write === 'added' && page.events.some(({ repaired }) => repaired !== true)) {
    throw new Violation('what an operator adds is marked repaired', what);
  }
}

/** Each event is the one that the stream holds at its place, as it came or mended. */
function checkPlaces({ stream }: SupervisionOptions, { deviceId, shardId, events }: EventPage): void {
  const shard = stream.shards.find((candidate) => candidate.shardId === shardId);
  for (const { place, text, arrivalTime } of events) {
    const { sequenceNumber, subSequenceNumber } = place;
    const record = shard?.records.find((candidate) => candidate.sequenceNumber === sequenceNumber);
    const held =
      shard === undefined || record === undefined
        ? []
        : [...eventsOf(shard, record), ...mendedEventsOf(shard, record)];
    const found = held.find((event) => event.place.subSequenceNumber === subSequenceNumber);
    if (
      found?.deviceId === deviceId &&
      found.text === comparableText(text) &&
      found.arrivalTime === arrivalTime
    )
      continue;
    throw new Violation('what an operator adds keeps its place and arrival', `${deviceId} ${sequenceNumber}`);
  }
}
