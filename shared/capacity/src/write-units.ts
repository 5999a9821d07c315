import { ASSUMPTIONS } from './assumptions.ts';
import type { CompleteWorkload } from './workload.ts';

/** A write rounds up to 1 KB ("DynamoDB on-demand pricing", read 2026-11). */
const WRITE_UNIT_BYTES = 1_024;
/** A strongly consistent read rounds up to 4 KB. */
const READ_UNIT_BYTES = 4_096;

/** Bytes of the item that holds so many events of one device: compressed where that saves a unit. */
export function pageBytes(eventBytes: number, eventsPerPage: number): number {
  const plain =
    ASSUMPTIONS.pageOverheadBytes + eventsPerPage * (eventBytes + ASSUMPTIONS.pageEventOverheadBytes);
  return plain <= WRITE_UNIT_BYTES ? plain : Math.max(plain * ASSUMPTIONS.compressedShare, 1);
}

/** Write units of one event where events of a device share pages, everything around them included. */
export function unitsPerEvent({ eventBytes, stateBytes }: CompleteWorkload, eventsPerPage: number): number {
  const page = units(pageBytes(eventBytes, eventsPerPage));
  const snapshot = ASSUMPTIONS.snapshotUnits / ASSUMPTIONS.pagesPerSnapshot;
  return (page + units(stateBytes) + snapshot) / eventsPerPage;
}

/** Write units of one event where each is put, and updates the state, by itself. */
export function ordinaryUnitsPerEvent({ eventBytes, stateBytes }: CompleteWorkload): number {
  return units(eventBytes + ASSUMPTIONS.pageEventOverheadBytes) + units(stateBytes);
}

/** Read units of one event: states that are not in memory. */
export function readUnitsPerEvent({ stateBytes }: CompleteWorkload, eventsPerPage: number): number {
  return (ASSUMPTIONS.headMissShare * Math.ceil(stateBytes / READ_UNIT_BYTES)) / eventsPerPage;
}

function units(bytes: number): number {
  return Math.ceil(bytes / WRITE_UNIT_BYTES);
}
