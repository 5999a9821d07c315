import type { PipelineStatus } from '@twinstream/api-contract';
import type { EntryDecoder } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import type { ProcessedTimes } from '@twinstream/pipeline-status';
import type { RedriveServices } from '@twinstream/projection';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import type { Clock, Logger } from '@twinstream/runtime';
import type { StreamTransport } from '@twinstream/stream-producer';
import type { AnnotationStore } from '@twinstream/table-generation/annotations';
import type { FleetView } from './fleet/fleet-view.ts';
import type { KeptLists } from './fleet/kept-lists.ts';
import type { UpdateHub } from './fleet/update-hub.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import type { LivenessPolicy } from './liveness.ts';

/** Everything the API needs of the world, so that it runs on memory, on emulators and on AWS alike. */
export interface QueryApiServices {
  readonly deviceStates: Pick<LatestStateTable, 'read'>;
  readonly events: EventStore;
  readonly fleet: FleetView;
  /** Order of the lists whose sort moves, for their next pages. */
  readonly lists: KeptLists;
  readonly updates: UpdateHub;
  readonly pipeline: () => Promise<PipelineStatus>;
  /** Where corrections go: the stream, like everything that is said of a device. */
  readonly stream: Pick<StreamTransport, 'putRecords'>;
  /** How far the shards have been processed. Never rejects. */
  readonly processed: () => Promise<ProcessedTimes>;
  /** Whether the driver knows who calls, so that a correction need not say it. */
  readonly identifiesCallers: boolean;
  /** Keys of the corrections put lately. */
  readonly correctionKeys: IdempotencyKeys;
  /** The dead-letter store. */
  readonly quarantine: ResolvableQuarantine;
  /** Where a redrive stores, and how: as the projector does. */
  readonly redriving: Pick<
    RedriveServices,
    'tablesInUse' | 'shardProgress' | 'streamName' | 'pageWriting'
  > & {
    readonly decoder: EntryDecoder;
  };
  /** What operators said of devices; absent where there is no table of operators. */
  readonly annotations?: AnnotationStore | undefined;
  readonly liveness: LivenessPolicy;
  /** Gaps older than this are no longer trouble, in milliseconds; absent: they always are. */
  readonly gapsAgeOutMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A new identity for what comes without one. */
  readonly newId: () => string;
}

/** What corrections need: where there is nothing else, nothing but the stream can be written. */
export type CorrectionServices = Pick<
  QueryApiServices,
  'deviceStates' | 'events' | 'correctionKeys' | 'stream' | 'clock' | 'logger' | 'newId'
>;

/** What acknowledging and retiring need. */
export type AnnotationServices = Pick<
  QueryApiServices,
  'deviceStates' | 'events' | 'annotations' | 'gapsAgeOutMs' | 'liveness' | 'clock' | 'logger'
>;

/** What the routes of the quarantine need. */
export type QuarantineServices = Pick<QueryApiServices, 'quarantine' | 'redriving' | 'clock' | 'logger'>;
