import { ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import { meanOver } from './event-counts.ts';
import { headMissShare, staleShare } from './heads.ts';
import { eventsOfPageMax, pageBytes, pageUnits, units } from './page-size.ts';
import { STATE } from './state-size.ts';
import type { CompleteWorkload } from './workload.ts';

/** A strongly consistent read rounds up to 4 KB ("DynamoDB read and write operations", read 2026-11). */
const READ_UNIT_BYTES = 4_096;

/** A refused put costs what the item at its key is large: mostly one unit ("DynamoDB read and write operations", read 2026-11). */
const REFUSED_UNITS = 1;
/** DynamoDB stores so much for an item beside its attributes ("DynamoDB item sizes and formats", read 2026-11). */
export const ITEM_OVERHEAD_BYTES = 100;

const STATE_SPREAD = [0.96, 0.98, 1, 1.02, 1.04] as const;
const BASELINE_EVENT = { itemBytes: 94, share: 0.9 } as const;

/**
 * Write units of one event where events of a device share pages, everything around them included: page, state, snapshot, the shard's progress, and
 * the page that is refused where the head in memory is stale.
 */
export function unitsPerEvent(
  { eventBytes, stateBytes }: CompleteWorkload,
  batches: Batches,
  strayShare?: number,
): number {
  const { counts, eventsPerDevice, eventsPerBatch } = batches;
  const stale = staleShare(batches, strayShare);
  const state = stateUnits(stateBytes);
  const snapshotShare = units(stateBytes) / ASSUMPTIONS.pagesPerSnapshot;
  const unitsOfDevice = meanOver(counts, (events) => {
    const { pages, pagesUnits } = pagesOf(eventBytes, events);
    return pagesUnits + state + pages * snapshotShare + stale * REFUSED_UNITS;
  });
  return unitsOfDevice / eventsPerDevice + ASSUMPTIONS.progressUnits / Math.max(1, eventsPerBatch);
}

/** Mean write units of a state, over devices of which some have longer numbers than others. */
function stateUnits(stateBytes: number): number {
  return STATE_SPREAD.reduce((sum, spread) => sum + units(stateBytes * spread), 0) / STATE_SPREAD.length;
}

/** Write units of one event where each is put, and updates the state, by itself. */
export function baselineUnitsPerEvent({ eventBytes, stateBytes }: CompleteWorkload): number {
  return units(baselineItemBytes(eventBytes)) + plainStateUnits(stateBytes);
}

/** Write units of one event where a batch writes the state of a device once, and no history. */
export function coalescedUnitsPerEvent(
  { stateBytes }: CompleteWorkload,
  { eventsPerDevice }: Batches,
): number {
  return plainStateUnits(stateBytes) / eventsPerDevice;
}

/** A state that holds readings alone: no marks, counts or receipts. */
function plainStateUnits(stateBytes: number): number {
  return units(Math.max(0, stateBytes - STATE.itemBytes) / STATE.share);
}

export function baselineItemBytes(eventBytes: number): number {
  return BASELINE_EVENT.itemBytes + BASELINE_EVENT.share * eventBytes;
}

/** Bytes of pages and snapshots for one event, as they are stored. */
export function tableBytesPerEvent(
  { eventBytes, stateBytes }: CompleteWorkload,
  { counts, eventsPerDevice }: Batches,
): number {
  const snapshot = (stateBytes + ITEM_OVERHEAD_BYTES) / ASSUMPTIONS.pagesPerSnapshot;
  const stored = meanOver(counts, (events) => {
    const { pages, bytes } = pagesOf(eventBytes, events);
    return bytes + pages * (ITEM_OVERHEAD_BYTES + snapshot);
  });
  return stored / eventsPerDevice;
}

/** Read units of one event: states that are not in memory, or stale there. */
export function readUnitsPerEvent(workload: CompleteWorkload, batches: Batches, strayShare?: number): number {
  const read = Math.ceil(workload.stateBytes / READ_UNIT_BYTES);
  return (headMissShare(workload, batches, strayShare) * read) / batches.eventsPerDevice;
}

/** The pages of one device in one batch: full ones, and one with the rest. */
function pagesOf(eventBytes: number, events: number) {
  const most = eventsOfPageMax(eventBytes);
  const full = Math.floor(events / most);
  const rest = events - full * most;
  const hasRest = rest > 0;
  return {
    pages: full + (hasRest ? 1 : 0),
    pagesUnits:
      (full > 0 ? full * pageUnits(eventBytes, most) : 0) + (hasRest ? pageUnits(eventBytes, rest) : 0),
    bytes: (full > 0 ? full * pageBytes(eventBytes, most) : 0) + (hasRest ? pageBytes(eventBytes, rest) : 0),
  };
}
