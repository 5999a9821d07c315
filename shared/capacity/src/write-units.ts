import { ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import { meanOver } from './event-counts.ts';
import { eventsOfPageMax, pageBytes, pageUnits, units } from './page-size.ts';
import { STATE } from './state-size.ts';
import type { CompleteWorkload } from './workload.ts';

/** A strongly consistent read rounds up to 4 KB ("DynamoDB read and write operations", read 2026-11). */
const READ_UNIT_BYTES = 4_096;

const STATE_SPREAD = [0.96, 0.98, 1, 1.02, 1.04] as const;
const BASELINE_EVENT = { itemBytes: 94, share: 0.9 } as const;

/**
 * Write units of one event where events of a device share pages, everything around them included: page, state, snapshot and
 * the shard's progress.
 */
export function unitsPerEvent({ eventBytes, stateBytes }: CompleteWorkload, batches: Batches): number {
  const { counts, eventsPerDevice, eventsPerBatch } = batches;
  const state = stateUnits(stateBytes);
  const snapshotShare = units(stateBytes) / ASSUMPTIONS.pagesPerSnapshot;
  const unitsOfDevice = meanOver(counts, (events) => {
    const { pages, pagesUnits } = pagesOf(eventBytes, events);
    return pagesUnits + state + pages * snapshotShare;
  });
  return unitsOfDevice / eventsPerDevice + ASSUMPTIONS.progressUnits / Math.max(1, eventsPerBatch);
}

/** Mean write units of a state, over devices of which some have longer numbers than others. */
function stateUnits(stateBytes: number): number {
  return STATE_SPREAD.reduce((sum, spread) => sum + units(stateBytes * spread), 0) / STATE_SPREAD.length;
}

/** Write units of one event where each is put, and updates the state, by itself. */
export function baselineUnitsPerEvent({ eventBytes, stateBytes }: CompleteWorkload): number {
  const baselineState = Math.max(0, stateBytes - STATE.itemBytes) / STATE.share;
  return units(baselineItemBytes(eventBytes)) + units(baselineState);
}

export function baselineItemBytes(eventBytes: number): number {
  return BASELINE_EVENT.itemBytes + BASELINE_EVENT.share * eventBytes;
}

/** Bytes of pages for one event. */
export function tableBytesPerEvent(
  { eventBytes }: CompleteWorkload,
  { counts, eventsPerDevice }: Batches,
): number {
  return meanOver(counts, (events) => pagesOf(eventBytes, events).bytes) / eventsPerDevice;
}

/** Read units of one event: states that are not in memory. */
export function readUnitsPerEvent({ stateBytes }: CompleteWorkload, { eventsPerDevice }: Batches): number {
  return (ASSUMPTIONS.headMissShare * Math.ceil(stateBytes / READ_UNIT_BYTES)) / eventsPerDevice;
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
