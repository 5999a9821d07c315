import { evenRanges, type HashKeyRange } from '@twinstream/stream-model';
import { hashKeyOf, hashKeyText } from './hash-key-text.ts';
import type { Shard } from './stream.ts';

/** One split or merge. Shards are named by their first hash key, because those of later steps have no id yet. */
export type ReshardStep =
  | { readonly kind: 'split'; readonly start: string; readonly at: string }
  | { readonly kind: 'merge'; readonly start: string; readonly adjacentStart: string };

/**
 * The splits and merges that turn ranges which cover all hash keys, in order, into `count` even ones: first a cut at
 * each boundary that is missing, then a merge across each that is left over. No shard gets more than two parents, and
 * shards that live for a moment appear as they do on AWS (API reference, UpdateShardCount).
 */
export function uniformScaling(ranges: readonly HashKeyRange[], count: number): readonly ReshardStep[] {
  const targets = evenRanges(count);
  const starts = new Set(ranges.map(({ start }) => start));
  const steps: ReshardStep[] = [];
  for (const { start } of targets) {
    if (starts.has(start)) continue;
    steps.push({ kind: 'split', start: hashKeyText(below(starts, start)), at: hashKeyText(start) });
    starts.add(start);
  }
  for (const target of targets) {
    const leftOver = [...starts]
      .filter((start) => start > target.start && start <= target.end)
      .sort(ascending);
    for (const start of leftOver) {
      steps.push({ kind: 'merge', start: hashKeyText(target.start), adjacentStart: hashKeyText(start) });
    }
  }
  return steps;
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}

/** The highest start below a key. */
function below(starts: ReadonlySet<bigint>, key: bigint): bigint {
  return [...starts].reduce((best, start) => (start < key && start > best ? start : best), 0n);
}

/** A shard that a step opens. */
export interface OpenedShard {
  readonly index: number;
  readonly startMs: number;
  readonly hashStart: string;
  readonly hashEnd: string;
  readonly parentIndex: number;
  readonly adjacentParentIndex: number | undefined;
}

/** All shards after the steps: parents closed, children open and younger than their parents. */
export function applySteps(
  shards: readonly Shard[],
  steps: readonly ReshardStep[],
  at: { readonly nowMs: number; readonly nextIndex: number },
  open: (opened: OpenedShard) => Shard,
): readonly Shard[] {
  let all = [...shards];
  let nextIndex = at.nextIndex;
  for (const step of steps) {
    const parents = parentsOf(all, step);
    const [parent] = parents;
    const startMs = Math.max(at.nowMs, ...parents.map((shard) => shard.startMs + 1));
    const children = childRanges(parents, step).map((range) => {
      const child = open({
        index: nextIndex,
        startMs,
        hashStart: range.start,
        hashEnd: range.end,
        parentIndex: parent.index,
        adjacentParentIndex: parents[1]?.index,
      });
      nextIndex += 1;
      return child;
    });
    all = all.map((shard) => (parents.includes(shard) ? { ...shard, closedMs: startMs } : shard));
    all.push(...children);
  }
  return all;
}

function parentsOf(shards: readonly Shard[], step: ReshardStep): readonly [Shard, ...Shard[]] {
  const named = (start: string) => {
    const shard = shards.find(({ hashStart, closedMs }) => hashStart === start && closedMs === undefined);
    if (!shard) throw new RangeError(`no open shard begins at hash key ${start}`);
    return shard;
  };
  return step.kind === 'split' ? [named(step.start)] : [named(step.start), named(step.adjacentStart)];
}

function childRanges(
  parents: readonly [Shard, ...Shard[]],
  step: ReshardStep,
): { start: string; end: string }[] {
  const start = parents[0].hashStart;
  const end = (parents[1] ?? parents[0]).hashEnd;
  if (step.kind === 'merge') return [{ start, end }];
  return [
    { start, end: hashKeyText(hashKeyOf(step.at) - 1n) },
    { start: step.at, end },
  ];
}
