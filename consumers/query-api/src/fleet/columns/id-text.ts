/** Ids of devices in lower case, one after the other in one buffer, by slot: a text is looked for in all of them in one pass. */
export interface IdText {
  /** The id of the next slot. It has no line break. */
  add(id: string): void;
  /** By slot: 1 where the id in lower case has this text, which has no line break. */
  search(text: string): Uint8Array;
}

const LINE_BREAK = 0x0a;
const BYTES_MIN = 16_384;
const SLOTS_MIN = 1_024;
const GROWTH = 1.5;
/** A shorter shift is never wrong. */
const SHIFT_MAX = 255;
/** UTF-8 takes up to three bytes for a code unit of UTF-16. */
const UNIT_BYTES_MAX = 3;

/** In UTF-8, in which a well-formed text lies within another exactly where its bytes do. */
export function createIdText(): IdText {
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(BYTES_MIN);
  let end = 0;
  /** Where the id of each slot begins; the next one after the last. */
  let starts = new Uint32Array(SLOTS_MIN);
  let slots = 0;

  return {
    add: (id) => {
      const lower = id.toLowerCase();
      const bytesMax = end + UNIT_BYTES_MAX * lower.length + 1;
      if (bytesMax > bytes.length) bytes = enlarged(bytes, new Uint8Array(Math.ceil(bytesMax * GROWTH)));
      end += encoder.encodeInto(lower, bytes.subarray(end)).written;
      bytes[end] = LINE_BREAK;
      end += 1;
      slots += 1;
      if (slots === starts.length) starts = enlarged(starts, new Uint32Array(Math.ceil(slots * GROWTH)));
      starts[slots] = end;
    },
    search: (text) => {
      const found = new Uint8Array(slots);
      const sought = encoder.encode(text);
      const last = sought.length - 1;
      const shifts = shiftTable(sought);
      let slot = 0;
      let at = 0;
      while (at < end && at + last < end) {
        if (liesAt(bytes, sought, at)) {
          slot = slotAt(starts, slots, at, slot);
          found[slot] = 1;
          at = starts[slot + 1] ?? end;
        } else {
          at += shifts[bytes[at + last] ?? 0] ?? 1;
        }
      }
      return found;
    },
  };
}

/**
 * How far a search may go on from a place where it found nothing, by the byte there under the last byte that is sought: until that
 * byte lies under the next one like it (Horspool, "Practical fast searching in strings", 1980).
 */
function shiftTable(sought: Uint8Array): Uint8Array {
  const last = sought.length - 1;
  const shifts = new Uint8Array(256).fill(Math.min(sought.length, SHIFT_MAX));
  for (let index = 0; index < last; index += 1) {
    shifts[sought[index] ?? 0] = Math.min(last - index, SHIFT_MAX);
  }
  return shifts;
}

function liesAt(bytes: Uint8Array, sought: Uint8Array, at: number): boolean {
  let index = sought.length - 1;
  while (index >= 0 && bytes[at + index] === sought[index]) index -= 1;
  return index < 0;
}

function enlarged<Numbers extends Uint8Array | Uint32Array>(numbers: Numbers, larger: Numbers): Numbers {
  larger.set(numbers);
  return larger;
}

/** The slot, not before this one, whose id has the byte: the distance doubles until it is passed, and is halved then. */
function slotAt(starts: Uint32Array, slots: number, at: number, from: number): number {
  let step = 1;
  while (from + step < slots && (starts[from + step] ?? 0) <= at) step *= 2;
  let [low, high] = [from + Math.floor(step / 2), Math.min(from + step, slots)];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  return low;
}
