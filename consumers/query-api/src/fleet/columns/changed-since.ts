import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import type { ResumePoint } from '../resume-token.ts';
import type { FleetColumns } from './fleet-columns.ts';
import { livenessColumn, type ProcessedOf } from './fleet-scan.ts';
import { NONE } from './intern-table.ts';
import { compareToSequence, sequenceCells } from './sequence-cells.ts';

export interface ChangedSinceOptions {
  readonly columns: FleetColumns;
  readonly processedOf: ProcessedOf;
  /** Whether devices that were silent at the point may have been told of as unknown since. */
  readonly mayHaveBeenUnknown: boolean;
}

/**
 * Slots of the devices that may not be as they were at that point: those with a record after it, those that changed without
 * one, those whose liveness is told differently, and perhaps others. Never one fewer.
 */
export function* slotsChangedSince(
  { columns, processedOf, mayHaveBeenUnknown }: ChangedSinceOptions,
  { timeMs, seen }: ResumePoint,
): Generator<number> {
  const { numbers, bytes, references } = columns;
  const then = livenessColumn(columns, timeMs, processedOf);
  const byClock = mayHaveBeenUnknown ? livenessColumn(columns, timeMs, () => timeMs) : undefined;
  const hasNewMark = newMarkTest(columns, seen);
  for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
    if (!columns.isPresent(slot)) continue;
    const isChanged =
      columns.isBehindMarks(slot) ||
      (numbers.alteredTime[slot] ?? 0) >= timeMs ||
      then[slot] !== bytes.liveness[slot] ||
      (byClock !== undefined && byClock[slot] !== 0) ||
      hasNewMark(slot, references.shards[slot] ?? NONE);
    if (isChanged) yield slot;
  }
}

/** How far a shard was seen. */
interface SeenShard {
  readonly through: SequenceNumber;
  readonly cells: readonly number[];
}

function newMarkTest(columns: FleetColumns, seen: ResumePoint['seen']) {
  const known = new Map<ShardId, SeenShard>();
  for (const [shardId, through] of seen) known.set(shardId, { through, cells: sequenceCells(through) });
  const bySet: (readonly (SeenShard | undefined)[])[] = [];
  for (const [number, shardIds] of columns.shardSets.entries()) {
    bySet[number] = shardIds.map((shardId) => known.get(shardId));
  }
  return (slot: number, set: number): boolean =>
    (bySet[set] ?? []).some((shard, index) => {
      const cellOf = (cell: number) => columns.markCell(slot, index, cell);
      return shard === undefined || compareToSequence(cellOf, columns.textOf, shard.through, shard.cells) > 0;
    });
}
