import { contentMemoryBytes, type Segment } from './segment.ts';

/**
 * The memory of all segments of a server. Where segments are also kept in files it is a cache: the least recently used
 * are let go when it outgrows `bytesMax`. Where they are not it is a bound: what does not fit is refused.
 */
export interface SegmentMemory {
  readonly bytesMax: number;
  readonly isCache: boolean;
  /** Segments that are in memory, the least recently used first, with the bytes counted for each. */
  readonly held: Map<Segment, number>;
  bytes: number;
}

export function segmentMemory(bytesMax: number, isCache: boolean): SegmentMemory {
  return { bytesMax, isCache, held: new Map(), bytes: 0 };
}

/** False when memory is all there is and `moreBytes` would pass the bound. */
export function hasRoom(memory: SegmentMemory, moreBytes: number): boolean {
  return memory.isCache || memory.bytes + moreBytes <= memory.bytesMax;
}

/** Recounts a segment's memory and makes it the most recently used. */
export function recount(memory: SegmentMemory, segment: Segment): void {
  forget(memory, segment);
  if (segment.content === undefined) return;
  const bytes = contentMemoryBytes(segment.content);
  memory.held.set(segment, bytes);
  memory.bytes += bytes;
}

export function forget(memory: SegmentMemory, segment: Segment): void {
  memory.bytes -= memory.held.get(segment) ?? 0;
  memory.held.delete(segment);
}

/** Lets go of the least recently used segments until the rest fits. Nothing may be reading them. */
export function shrinkToFit(memory: SegmentMemory): void {
  if (!memory.isCache) return;
  for (const segment of memory.held.keys()) {
    if (memory.bytes <= memory.bytesMax) return;
    forget(memory, segment);
    segment.content = undefined;
  }
}
