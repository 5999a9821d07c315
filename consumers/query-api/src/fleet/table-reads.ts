import type { DeviceId } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';
import { type Clock, CodedError } from '@twinstream/runtime';
import type { FleetChange, FleetRows } from './fleet-rows.ts';

/** Devices of one request to the table. */
const LIST_LIMIT = 1_000;
/** Requests of one reading of the table, which may answer with fewer devices than the limit. */
const LIST_REQUESTS_MAX = 50_000;
/** Devices that one process holds, at some 400 bytes each. */
const DEVICES_MAX = 4_000_000;
/** Single devices that are read concurrently: four batches of them. */
const READS_AT_ONCE = 400;

export interface TableReadOptions {
  readonly table: Pick<LatestStateTable, 'list' | 'read'>;
  readonly rows: FleetRows;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears of changes as they are found. */
  readonly tell: (changes: readonly FleetChange[]) => void;
}

/** Reads the whole table into the rows, and drops those devices that it no longer has. Throws `FLEET_TOO_LARGE`. */
export async function readWholeTable(options: TableReadOptions): Promise<void> {
  const { table, rows, clock, signal, tell } = options;
  const reading = rows.beginReading(clock.now());
  let cursor: string | undefined;
  for (let request = 0; request < LIST_REQUESTS_MAX; request += 1) {
    const answer = await table.list({
      limit: LIST_LIMIT,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const changes: FleetChange[] = [];
    for (const state of answer.devices) {
      const change = reading.put(state, clock.now());
      if (change !== undefined) changes.push(change);
    }
    tell(changes);
    if (rows.columns.slotsEnd > DEVICES_MAX) {
      throw new CodedError('FLEET_TOO_LARGE', `the fleet has more than ${DEVICES_MAX} devices`);
    }
    if (answer.cursor === undefined) {
      tell(reading.dropRest());
      return;
    }
    cursor = answer.cursor;
  }
  throw new CodedError('FLEET_TOO_LARGE', `the fleet takes more than ${LIST_REQUESTS_MAX} requests to read`);
}

/** Reads these devices into the rows, each as it stands now, and adds to `changes`, also where another read fails. */
export async function readSingleDevices(
  deviceIds: ReadonlySet<DeviceId>,
  { table, rows, clock, signal }: TableReadOptions,
  changes: FleetChange[],
): Promise<void> {
  const rest = deviceIds.values();
  const readOn = async () => {
    for (const deviceId of rest) {
      const startTime = clock.now();
      const state = await table.read(deviceId, { consistent: true, signal });
      const change = state === undefined ? undefined : rows.put(state, startTime, clock.now());
      if (change !== undefined) changes.push(change);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: READS_AT_ONCE }, readOn));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
