import { SHARD_OUT_BYTES_PER_SECOND } from '@twinstream/stream-model';
import type { OperationsServices } from '../services.ts';
import { planArchive, planEventStore } from './plan-stores.ts';
import { planStream } from './plan-stream.ts';
import { isExact, type PartPlan, type ReplayPlan, sumOf } from './replay-plan.ts';
import { GENERATION_WAIT_MS } from './replay-services.ts';
import { effectOf, type ReplayPart, type ReplaySpec } from './replay-spec.ts';

/** DynamoDB on demand, us-east-1, per million, read 2026-11. */
const DOLLARS_PER_MILLION = { writeUnits: 0.625, readUnits: 0.125 } as const;
/** Events a second that one process has been seen to take from each source at most; a busy machine takes a tenth. */
const EVENTS_PER_SECOND = { stream: 100_000, archive: 50_000, 'event-store': 20_000 } as const;
const SLOW_SHARE = 0.1;
/** Devices in a batch of events that are written together decide how many pages they make. */
const BATCH_EVENTS = 2_000;
/** Passes of a repair that read the source, of which the last two stop the projector: survey, restore, apply, rebuild. */
const REPAIR_READS_MAX = 4;
const REPAIR_PAUSES_MAX = 2;

/** Looks at the source and says what the replay will take. Reads no more than a few MiB, and writes nothing. */
export async function makePlan(
  services: OperationsServices,
  spec: ReplaySpec,
  functionTimeoutMs: number,
  signal: AbortSignal,
): Promise<ReplayPlan> {
  const parts: PartPlan[] = [];
  for (const part of spec.parts) parts.push(await planPart(services, spec, part, signal));
  return planOf(spec, parts, functionTimeoutMs);
}

/** The plan of parts that were looked at. */
export function planOf(spec: ReplaySpec, parts: readonly PartPlan[], functionTimeoutMs: number): ReplayPlan {
  const [events, bytes] = [sumOf(parts.map((part) => part.events)), sumOf(parts.map((part) => part.bytes))];
  const units = { min: unitsOf(spec, events.min, bytes.min), max: unitsOf(spec, events.max, bytes.max) };
  // A repair writes what is missing, which nobody knows before.
  const isRepair = effectOf(spec) === 'repair';
  const writeUnits = { min: isRepair ? 0 : units.min.writes, max: units.max.writes };
  const readUnits = { min: units.min.reads, max: units.max.reads };
  const dollarsOf = (bound: 'min' | 'max') =>
    (writeUnits[bound] * DOLLARS_PER_MILLION.writeUnits + readUnits[bound] * DOLLARS_PER_MILLION.readUnits) /
    1_000_000;
  return {
    parts,
    events,
    bytes,
    isExact: isExact(events),
    ...durationOf(spec, parts, functionTimeoutMs),
    readUnits,
    writeUnits,
    dollars: { min: dollarsOf('min'), max: dollarsOf('max') },
    changes: changesOf(spec),
  };
}

function durationOf(
  spec: ReplaySpec,
  parts: readonly PartPlan[],
  functionTimeoutMs: number,
): Pick<ReplayPlan, 'durationMs' | 'durationBasis'> {
  const once = sumOf(
    parts.map((part) => ({
      min: readingMs(spec, part, part.events.min, part.bytes.min, 1),
      max: readingMs(spec, part, part.events.max, part.bytes.max, SLOW_SHARE),
    })),
  );
  const isFromStore = parts[0]?.source === 'event-store';
  if (effectOf(spec) !== 'repair' || isFromStore) {
    return {
      durationMs: once,
      durationBasis: 'one reading of the source; a busy machine takes ten times as long',
    };
  }
  const pauseMs = spec.target === undefined ? 0 : functionTimeoutMs + GENERATION_WAIT_MS;
  return {
    durationMs: { min: once.min, max: REPAIR_READS_MAX * once.max + REPAIR_PAUSES_MAX * pauseMs },
    durationBasis: `one reading where nothing is missing; up to ${REPAIR_READS_MAX} readings and ${REPAIR_PAUSES_MAX} pauses of the projector where neighbours or devices are`,
  };
}

function readingMs(
  { rate, isPolite }: ReplaySpec,
  { source, shards }: PartPlan,
  events: number,
  bytes: number,
  share: number,
): number {
  const forRate = rate === undefined ? 0 : events / rate;
  const shardShare = SHARD_OUT_BYTES_PER_SECOND * (isPolite ? 0.4 : 1) * Math.max(1, shards.length);
  const forBytes = source === 'stream' ? bytes / shardShare : 0;
  return Math.max(forRate, forBytes, events / (EVENTS_PER_SECOND[source] * share)) * 1_000;
}

/** A page and a state for each device and batch, at least a unit each and one more for each KiB; a batch reads its heads. */
function unitsOf(spec: ReplaySpec, events: number, bytes: number) {
  const { target, parts } = spec;
  const doesWrite = target === 'fresh' || target === 'repair';
  const writes = doesWrite ? Math.min(2 * events, events / 4 + bytes / 1_024) : 0;
  const isFromStore = parts[0]?.source === 'event-store';
  const reads = isFromStore || effectOf(spec) === 'repair' ? bytes / 4_096 + events / BATCH_EVENTS : 0;
  return { reads: Math.ceil(reads), writes: Math.ceil(writes) };
}

function changesOf({ target, tables, parts }: ReplaySpec): readonly string[] {
  if (target === undefined) return ['nothing: a dry run reads and counts'];
  if (target === 'stdout') return ['nothing: events go to standard output'];
  if (target === 'fresh') {
    return [
      `the tables ${tables?.eventsTable} and ${tables?.deviceStateTable} are created and filled; those in use stay`,
    ];
  }
  const states = 'states that differ from the fold of their pages are written again';
  if (parts[0]?.source === 'event-store') return [states];
  return [
    'pages that are missing are put back under their own numbers',
    states,
    'events that were never accepted are appended, marked repaired, up to the checkpoints of the shards',
    'devices of which nothing is stored are rebuilt',
    'the live projector is paused for such devices, and for pages that are missing side by side, alone',
  ];
}

async function planPart(
  services: OperationsServices,
  spec: ReplaySpec,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  if (part.source === 'stream') return planStream(services, spec, part, signal);
  if (part.source === 'archive') return planArchive(services, part, signal);
  return planEventStore(services, part, signal);
}
