import { batch, signal } from '@preact/signals';
import type { DeviceJson, WholeDeviceList } from '@twinstream/api-contract';
import { PAST_DEVICES_MAX } from '@twinstream/api-contract/values';
import { listDevices, type Moment } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { noteAnswer, noteFailure } from '../session/connection.ts';

/** The fleet at a moment, as far as it was read. */
export interface PastFleet {
  /** What the API took the moment for: a relative one is that of the first answer. */
  readonly past: NonNullable<WholeDeviceList['past']>;
  /** Devices that met the filter then, by id. */
  readonly devices: readonly DeviceJson[];
  /** Devices whose histories were read, and what that took: reads of the event store. */
  readonly devicesRead: number;
  readonly reads: number;
  /** Devices whose histories are to be read: those that are known now. */
  readonly total: number;
  /** Absent when all were read. */
  readonly cursor: string | undefined;
}

export const pastFleet = signal<PastFleet | undefined>(undefined);
export const pastFailure = signal<Failure | undefined>(undefined);
export const isPastLoading = signal(false);

let reading = new AbortController();

/** Reads the histories of the next devices: as many as one request reads. Nothing more is read until it is asked for. */
export async function readPast(query: FleetQuery, moment: Moment): Promise<void> {
  const { signal } = reading;
  const before = pastFleet.peek();
  isPastLoading.value = true;
  const slice = { limit: PAST_DEVICES_MAX, cursor: before?.cursor };
  const outcome = await listDevices(pastQuery(query), slice, signal, moment);
  if (outcome.kind === 'aborted' || signal.aborted) return;
  batch(() => {
    isPastLoading.value = false;
    pastFailure.value = outcome.kind === 'answered' ? undefined : outcome;
    if (outcome.kind !== 'answered') {
      noteFailure(outcome);
      return;
    }
    noteAnswer(outcome.serverTime);
    const { devices, total, cursor, past } = outcome.value;
    if (past === undefined) return;
    pastFleet.value = {
      past,
      devices: [...(before?.devices ?? []), ...devices],
      devicesRead: (before?.devicesRead ?? 0) + past.devicesRead,
      reads: (before?.reads ?? 0) + past.reads,
      total,
      cursor,
    };
  });
}

/** Begins with another moment or filter; returns what ends it. */
export function openPast(query: FleetQuery, moment: Moment): () => void {
  const own = new AbortController();
  reading = own;
  pastFleet.value = undefined;
  pastFailure.value = undefined;
  void readPast(query, moment);
  return () => own.abort();
}

/** The filters that have a meaning in the past. */
function pastQuery(query: FleetQuery): FleetQuery {
  const { acknowledged: _a, retired: _r, sort: _s, order: _o, ...rest } = query;
  return rest;
}
