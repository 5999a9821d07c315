import { evenRanges, HASH_KEY_MAX, type HashKeyRange } from '@twinstream/stream-model';
import { hashKeyOf, hashKeyText } from './hash-key-text.ts';
import type { ReshardStep } from './reshard-step.ts';
import type { Shard } from './stream.ts';

/** Boundaries that lie nearer than this, of 2^128 hash keys, differ by rounding only. */
const ROUNDING = 2n ** 64n;

/**
 * The splits and merges that turn ranges which cover all hash keys, in order, into `count` even ones: first a cut at
 * each boundary that is missing, then a merge across each that is left over. A boundary that is there but for its
 * rounding stays, so that doubling splits each shard once. No shard gets more than two parents, and shards that live
 * for a moment appear as they do on AWS (API reference, UpdateShardCount).
 */
export function uniformScaling(ranges: readonly HashKeyRange[], count: number): readonly ReshardStep[] {
  const starts = new Set(ranges.map(({ start }) => start));
  const targets = evenRanges(count).map(({ start }) => nearest(starts, start) ?? start);
  const steps: ReshardStep[] = [];
  for (const at of targets) {
    if (starts.has(at)) continue;
    steps.push({ kind: 'split', start: hashKeyText(below(starts, at)), at: hashKeyText(at) });
    starts.add(at);
  }
  targets.forEach((target, index) => {
    const end = targets[index + 1] ?? HASH_KEY_MAX + 1n;
    for (const start of [...starts].filter((key) => key > target && key < end).sort(ascending)) {
      steps.push({ kind: 'merge', start: hashKeyText(target), adjacentStart: hashKeyText(start) });
    }
  });
  return steps;
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}

/** The start that differs from a key by rounding only, the nearest of several; undefined when none does. */
function nearest(starts: ReadonlySet<bigint>, key: bigint): bigint | undefined {
  const distance = (start: bigint) => (start > key ? start - key : key - start);
  const [best] = [...starts]
    .filter((start) => distance(start) < ROUNDING)
    .sort((a, b) => ascending(distance(a), distance(b)));
  return best;
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
