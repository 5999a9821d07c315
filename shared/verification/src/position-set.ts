import { type Position, positionKey } from '@twinstream/stream-model';

const FIRST_CAPACITY = 1 << 16;
/** Slots that may be taken before the set doubles. */
const LOAD_MAX = 0.6;

/**
 * Positions by a fingerprint of 63 bits, 14-27 bytes each: ten million fit into 270 MB. It never forgets one that was
 * added; that it claims one that was not is as likely as 2^-63 times the number added (1e-12 at ten million).
 */
export class PositionSet {
  #capacity: number;
  #high: Uint32Array;
  #low: Uint32Array;
  #size = 0;

  /** The capacity, a power of two, doubles when it is needed. */
  constructor(capacity = FIRST_CAPACITY) {
    this.#capacity = capacity;
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
  }

  /** Distinct positions. */
  get size(): number {
    return this.#size;
  }

  /** False where it was there already. */
  add(position: Position): boolean {
    const [high, low] = fingerprint(positionKey(position));
    if (!this.#enter(high, low)) return false;
    this.#size += 1;
    if (this.#size > this.#capacity * LOAD_MAX) this.#grow();
    return true;
  }

  has(position: Position): boolean {
    const [high, low] = fingerprint(positionKey(position));
    return this.#slotOf(high, low) < 0;
  }

  /** Slot that is free for the fingerprint, or -1 where it is there. */
  #slotOf(high: number, low: number): number {
    const mask = this.#capacity - 1;
    for (let slot = (low ^ high) & mask; ; slot = (slot + 1) & mask) {
      const [slotHigh, slotLow] = [this.#high[slot], this.#low[slot]];
      if (slotLow === 0) return slot;
      if (slotHigh === high && slotLow === low) return -1;
    }
  }

  #enter(high: number, low: number): boolean {
    const slot = this.#slotOf(high, low);
    if (slot < 0) return false;
    this.#high[slot] = high;
    this.#low[slot] = low;
    return true;
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#capacity *= 2;
    this.#high = new Uint32Array(this.#capacity);
    this.#low = new Uint32Array(this.#capacity);
    for (let slot = 0; slot < high.length; slot += 1) {
      const [oldHigh = 0, oldLow = 0] = [high[slot], low[slot]];
      if (oldLow !== 0) this.#enter(oldHigh, oldLow);
    }
  }
}

/** cyrb53's two lanes (bryc, public domain), 63 bits of them; the low one is never zero, which marks a free slot. */
export function fingerprint(text: string): [number, number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return [high >>> 0, (low | 1) >>> 0];
}
