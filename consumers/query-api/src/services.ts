import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { HistoryAnswer, HistoryQuery } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import type { Clock, Logger } from '@twinstream/runtime';
import type { FleetView } from './fleet/fleet-view.ts';
import type { LivenessPolicy } from './liveness.ts';
import type { PipelineStatus } from './pipeline/pipeline-status.ts';

/** A past state of one device. */
export interface PastStateQuery {
  readonly deviceId: DeviceId;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** `accepted`: the chain up to that time. `known`: all events whose device time is at or before it, whenever they came. */
  readonly basis: 'accepted' | 'known';
  readonly signal?: AbortSignal;
}

/** Everything the API needs of the world, so that it runs on memory, on stand-ins and on AWS alike. */
export interface QueryApiServices {
  readonly deviceStates: Pick<LatestStateTable, 'read'>;
  readonly fleet: FleetView;
  readonly readHistory: (query: HistoryQuery) => Promise<HistoryAnswer>;
  /** Undefined when nothing was stored of the device by then. */
  readonly stateAt: (query: PastStateQuery) => Promise<DeviceState | undefined>;
  readonly pipeline: (signal?: AbortSignal) => Promise<PipelineStatus>;
  readonly liveness: LivenessPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}
