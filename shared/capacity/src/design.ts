import { ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import { readable } from './figure.ts';
import { headMissShare } from './heads.ts';
import { PAGE_SIZE_SOURCE, pageBytes } from './page-size.ts';
import { eventsPerCore } from './projecting-speed.ts';
import { readableAfterSeconds } from './readable-after.ts';
import type { CompleteWorkload } from './workload.ts';
import {
  baselineItemBytes,
  baselineUnitsPerEvent,
  coalescedUnitsPerEvent,
  ITEM_OVERHEAD_BYTES,
  readUnitsPerEvent,
  tableBytesPerEvent,
  unitsPerEvent,
} from './write-units.ts';

/** In what designs differ, for one workload. */
export interface Design {
  /** Events of one device that are stored and folded together. */
  readonly eventsPerPage: number;
  readonly eventsPerPageFormula: string;
  readonly eventsPerPageSource: string;
  readonly unitsPerEvent: number;
  readonly unitsFormula: string;
  readonly unitsSource: string;
  readonly readUnitsPerEvent: number;
  /** Of the devices of a batch, whose states are read. */
  readonly headMissShare: number;
  readonly headMissFormula: string;
  /** Requests of an event, if every batch met a container that did not have the one before. */
  readonly strayed: { readonly writeUnits: number; readonly readUnits: number };
  readonly eventsPerCore: number;
  readonly readableAfterSeconds: number;
  readonly firehoseBytesPerEvent: number;
  readonly tableBytesPerEvent: number;
  readonly tableFormula: string;
}

/** Firehose bills each record in steps of 5 KB ("Amazon Data Firehose pricing", read 2026-11). */
const FIREHOSE_STEP_BYTES = 5 * 1024;
const UNIT_SOURCE = 'DynamoDB: writes round up to 1 KB, read 2026-11';

const EVENTS_PER_PAGE = {
  regular: { formula: 'm, at least 1', source: 'a device on its clock is not twice in less than its period' },
  random: { formula: 'm / (1 − e^−m)', source: 'mean of a Poisson count that is not zero' },
} as const;

/** Events of a device in a batch share a page and a state update; archive lines are packed. */
export function twinstreamDesign(workload: CompleteWorkload, batches: Batches): Design {
  const { eventBytes, stateBytes, arrivals } = workload;
  const { eventsPerPage, eventsPerDevice } = batches;
  return {
    eventsPerPage,
    eventsPerPageFormula: `${EVENTS_PER_PAGE[arrivals].formula}, m = rate of a device × time between batches; 1,000 events or 102,400 characters at most`,
    eventsPerPageSource: EVENTS_PER_PAGE[arrivals].source,
    unitsPerEvent: unitsPerEvent(workload, batches),
    unitsFormula: `(page of ${readable(eventsPerPage)} events, ${readable(pageBytes(eventBytes, eventsPerPage))} bytes + state of ${readable(stateBytes)} bytes, each in units of 1 KB, + a snapshot each ${ASSUMPTIONS.pagesPerSnapshot} pages + a refused page where the head is stale) / events of a page + progress / events of a batch`,
    unitsSource: `${UNIT_SOURCE}; ${PAGE_SIZE_SOURCE}`,
    readUnitsPerEvent: readUnitsPerEvent(workload, batches),
    headMissShare: headMissShare(workload, batches),
    headMissFormula: `1 − (share of the ${readable(workload.deviceCount / batches.shardCount)} devices of a shard whose heads fit in memory) × (1 − ${ASSUMPTIONS.strayBatchShare} batches in another container; none with one shard)`,
    strayed: {
      writeUnits: unitsPerEvent(workload, batches, 1),
      readUnits: readUnitsPerEvent(workload, batches, 1),
    },
    eventsPerCore: eventsPerCore('twinstream', eventsPerDevice),
    readableAfterSeconds: readableAfterSeconds(workload, batches, 'twinstream'),
    firehoseBytesPerEvent: eventBytes + ASSUMPTIONS.archiveLineOverheadBytes,
    tableBytesPerEvent: tableBytesPerEvent(workload, batches),
    tableFormula: `bytes of pages and snapshots, ${ITEM_OVERHEAD_BYTES} for each item included`,
  };
}

/**
 * The usual good design: a batch's events of a device are folded and written as one state; history is in the archive only. Its speed is not measured: ours,
 * which also writes pages, is taken.
 */
export function coalescedDesign(workload: CompleteWorkload, batches: Batches): Design {
  const { eventsPerDevice } = batches;
  const writeUnits = coalescedUnitsPerEvent(workload, batches);
  return {
    ...twinstreamDesign(workload, batches),
    eventsPerPage: eventsPerDevice,
    eventsPerPageFormula: 'events of a device in a batch, folded into one write of its state',
    eventsPerPageSource: 'the design',
    unitsPerEvent: writeUnits,
    unitsFormula: 'state in units of 1 KB / events of a device in a batch',
    unitsSource: UNIT_SOURCE,
    readUnitsPerEvent: 0,
    headMissShare: 0,
    headMissFormula: UNREAD,
    strayed: { writeUnits, readUnits: 0 },
    tableBytesPerEvent: 0,
    tableFormula: 'bytes: history is in S3 alone',
  };
}

const UNREAD = 'it updates states without reading them';

/** One conditional put and one conditional update for each event; one Firehose record for each. */
export function baselineDesign(workload: CompleteWorkload, batches: Batches): Design {
  const { eventBytes } = workload;
  const lineBytes = eventBytes + ASSUMPTIONS.archiveLineOverheadBytes;
  const writeUnits = baselineUnitsPerEvent(workload);
  return {
    eventsPerPage: 1,
    eventsPerPageFormula: 'each event is an item of its own',
    eventsPerPageSource: 'the design',
    unitsPerEvent: writeUnits,
    unitsFormula: 'event + state, each in units of 1 KB',
    unitsSource: UNIT_SOURCE,
    readUnitsPerEvent: 0,
    headMissShare: 0,
    headMissFormula: UNREAD,
    strayed: { writeUnits, readUnits: 0 },
    eventsPerCore: eventsPerCore('baseline', batches.eventsPerDevice),
    readableAfterSeconds: readableAfterSeconds(workload, batches, 'baseline'),
    firehoseBytesPerEvent: Math.ceil(lineBytes / FIREHOSE_STEP_BYTES) * FIREHOSE_STEP_BYTES,
    tableBytesPerEvent: baselineItemBytes(eventBytes) + ITEM_OVERHEAD_BYTES,
    tableFormula: `bytes of items, ${ITEM_OVERHEAD_BYTES} for each item included`,
  };
}
