/** Doubles in blocks of any length, outside of the heap. */
export interface CellArena {
  /** The address of a block of this number of cells, whose content is that of its last use. Throws `RangeError` beyond 262,144, the cells of a segment. */
  allocate(length: number): number;
  free(address: number, length: number): void;
  read(address: number): number;
  write(address: number, value: number): void;
}

const SEGMENT_BITS = 18;
const SEGMENT_CELLS = 2 ** SEGMENT_BITS;
const OFFSET_MASK = SEGMENT_CELLS - 1;

/** Blocks are never moved: one that has been freed serves the next of its length. */
export function createCellArena(): CellArena {
  const segments: Float64Array[] = [];
  const free = new Map<number, number[]>();
  let end = 0;
  return {
    allocate: (length) => {
      if (length > SEGMENT_CELLS) throw new RangeError(`${length} cells are more than a segment has`);
      const reused = free.get(length)?.pop();
      if (reused !== undefined) return reused;
      // A block lies in one segment.
      const rest = SEGMENT_CELLS - (end & OFFSET_MASK);
      if (end === segments.length * SEGMENT_CELLS || rest < length) {
        end = segments.length * SEGMENT_CELLS;
        segments.push(new Float64Array(SEGMENT_CELLS));
      }
      const address = end;
      end += length;
      return address;
    },
    free: (address, length) => {
      if (length === 0) return;
      const addresses = free.get(length);
      if (addresses === undefined) free.set(length, [address]);
      else addresses.push(address);
    },
    read: (address) => {
      const segment = segments[address >>> SEGMENT_BITS];
      return segment === undefined ? Number.NaN : (segment[address & OFFSET_MASK] ?? Number.NaN);
    },
    write: (address, value) => {
      const segment = segments[address >>> SEGMENT_BITS];
      if (segment !== undefined) segment[address & OFFSET_MASK] = value;
    },
  };
}
