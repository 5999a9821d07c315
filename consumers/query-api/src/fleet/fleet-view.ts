import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import { type FleetRow, fleetRow } from './fleet-row.ts';

/** All devices, as they stood at one moment. */
export interface FleetSnapshot {
  readonly rows: ReadonlyMap<DeviceId, FleetRow>;
  /** Whatever was written before then is in it; milliseconds since 1970. */
  readonly asOf: number;
}

/** The whole fleet in memory, read from the latest-state table at a bounded rate. */
export interface FleetView {
  /**
   * The fleet, fresh where the bound allows it, otherwise as it was: the snapshot says as of when. Throws
   * `FLEET_UNAVAILABLE` when it has never been read.
   */
  current(signal?: AbortSignal): Promise<FleetSnapshot>;
  /** Stops reading. */
  close(): void;
}

export interface FleetViewOptions {
  readonly table: Pick<LatestStateTable, 'list'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A snapshot up to this old is fresh enough, in milliseconds. Default 1,000. */
  readonly freshMs?: number;
  /** How long a request waits for a fresh one before it takes the old, in milliseconds. Default 1,500. */
  readonly waitMs?: number;
  /** Most of the time that may be spent reading the table, 0-1: a table that takes long to read is read seldom. Default 0.25. */
  readonly readShare?: number;
}

/** Devices of one request to the table. */
const LIST_LIMIT = 1_000;
/** Requests of one reading of the fleet: the table may answer with fewer devices than the limit. */
const LIST_REQUESTS_MAX = 20_000;

export function createFleetView({
  table,
  clock,
  logger,
  freshMs = 1_000,
  waitMs = 1_500,
  readShare = 0.25,
}: FleetViewOptions): FleetView {
  const closing = new AbortController();
  let snapshot: FleetSnapshot | undefined;
  let reading: Promise<void> | undefined;
  let nextReadTime = 0;

  async function readFleet(): Promise<void> {
    const startTime = clock.now();
    try {
      const rows = new Map<DeviceId, FleetRow>();
      for await (const state of allDevices(table, closing.signal)) {
        const known = snapshot?.rows.get(state.deviceId);
        rows.set(state.deviceId, known !== undefined && isSame(known, state) ? known : fleetRow(state));
      }
      snapshot = { rows, asOf: startTime };
    } finally {
      const durationMs = clock.now() - startTime;
      nextReadTime = clock.now() + durationMs * (1 / readShare - 1);
      reading = undefined;
    }
  }

  /** The reading on its way, or a new one where the bound allows it. */
  function refresh(): Promise<void> | undefined {
    if (reading === undefined && clock.now() >= nextReadTime && !closing.signal.aborted) {
      reading = readFleet();
      reading.catch((error: unknown) => {
        if (!closing.signal.aborted) logger.warn({ error }, 'fleet not read');
      });
    }
    return reading;
  }

  async function waitFor(refreshed: Promise<void>, signal?: AbortSignal): Promise<void> {
    const done = new AbortController();
    const signals = signal === undefined ? [done.signal] : [done.signal, signal];
    try {
      await Promise.race([refreshed, clock.sleep(waitMs, AbortSignal.any(signals))]);
    } catch {
      // A failed reading is logged where it happens; the snapshot before it still stands and says how old it is.
    } finally {
      done.abort();
    }
  }

  return {
    current: async (signal) => {
      const known = snapshot;
      if (known !== undefined && clock.now() - known.asOf <= freshMs) return known;
      const refreshed = refresh();
      if (known === undefined) {
        await refreshed?.catch((cause: unknown) => {
          throw new CodedError('FLEET_UNAVAILABLE', 'the fleet cannot be read', { cause, retryable: true });
        });
      } else if (refreshed !== undefined) await waitFor(refreshed, signal);
      if (snapshot === undefined) {
        throw new CodedError('FLEET_UNAVAILABLE', 'the fleet has not been read yet', { retryable: true });
      }
      return snapshot;
    },
    close: () => closing.abort(new Error('the fleet view is closed')),
  };
}

function isSame(row: FleetRow, state: DeviceState): boolean {
  return (
    row.page === state.page &&
    row.device.position?.sequenceNumber === state.position?.sequenceNumber &&
    row.device.position?.shardId === state.position?.shardId &&
    row.lastArrivalTime === state.lastArrivalTime
  );
}

async function* allDevices(
  table: Pick<LatestStateTable, 'list'>,
  signal: AbortSignal,
): AsyncIterable<DeviceState> {
  let cursor: string | undefined;
  for (let request = 0; request < LIST_REQUESTS_MAX; request += 1) {
    const answer = await table.list({
      limit: LIST_LIMIT,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* answer.devices;
    if (answer.cursor === undefined) return;
    cursor = answer.cursor;
  }
  throw new CodedError('FLEET_TOO_LARGE', `the fleet takes more than ${LIST_REQUESTS_MAX} requests to read`);
}
