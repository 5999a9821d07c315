import { CodedError } from '@twinstream/runtime';

/**
 * Counted for each record besides its data and keys: the objects that keep account of it. Measured 2026-11 on Node 24: 107
 * bytes for a record, and without aggregation 380 for the lane of its device; rounded up to hold for both.
 */
export const RECORD_BOOKKEEPING_BYTES = 512;
/** Calls of `put` that may wait at once. Their records are outside the buffer's bound, so a caller that never waits must be stopped. */
export const WAITING_PUTS_MAX = 10_000;

/** The room of the buffer, in bytes, and the calls that wait for some. */
export interface BufferRoom {
  readonly usedBytes: number;
  readonly waitingCount: number;
  /** Takes room at once. False when there is none, or when others wait already: nobody overtakes them. */
  tryTake(bytes: number): boolean;
  /** Waits for room; `onTaken` runs when it has been taken, before anybody else can take any. Rejects with `TOO_MANY_WAITING_PUTS`. */
  take(bytes: number, onTaken: () => void): Promise<void>;
  /** Gives room back, without yet letting anybody in. */
  release(bytes: number): void;
  /** Lets in those that wait, in order, as far as there is room. */
  admit(): void;
  /** Rejects all that wait. */
  refuse(reason: CodedError): void;
}

interface Waiting {
  readonly bytes: number;
  readonly onTaken: () => void;
  readonly resolve: () => void;
  readonly reject: (reason: CodedError) => void;
}

export function createBufferRoom(bytesMax: number): BufferRoom {
  let usedBytes = 0;
  let waiting: Waiting[] = [];

  const hasRoom = (bytes: number): boolean => usedBytes + bytes <= bytesMax;

  return {
    get usedBytes() {
      return usedBytes;
    },
    get waitingCount() {
      return waiting.length;
    },
    tryTake(bytes) {
      if (waiting.length > 0 || !hasRoom(bytes)) return false;
      usedBytes += bytes;
      return true;
    },
    take(bytes, onTaken) {
      if (waiting.length >= WAITING_PUTS_MAX) {
        return Promise.reject(
          new CodedError(
            'TOO_MANY_WAITING_PUTS',
            `${WAITING_PUTS_MAX} calls of put wait for room already: await the promise that put returns`,
            { retryable: true },
          ),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ bytes, onTaken, resolve, reject });
      });
    },
    release(bytes) {
      usedBytes -= bytes;
    },
    admit() {
      let admitted = 0;
      for (const entry of waiting) {
        if (!hasRoom(entry.bytes)) break;
        usedBytes += entry.bytes;
        entry.onTaken();
        entry.resolve();
        admitted += 1;
      }
      if (admitted > 0) waiting = waiting.slice(admitted);
    },
    refuse(reason) {
      const refused = waiting;
      waiting = [];
      for (const entry of refused) entry.reject(reason);
    },
  };
}
