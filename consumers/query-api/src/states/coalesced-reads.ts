import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';

/** What a batch has found of one device: its state, or why that cannot be read. A device that is not there is left out. */
export type BatchFindings = ReadonlyMap<DeviceId, DeviceState | Error>;

export interface CoalescedReadsOptions {
  /** Reads up to `batchMax` devices, each as it stands when the call begins or later. */
  readonly readBatch: (deviceIds: readonly DeviceId[]) => Promise<BatchFindings>;
  /** Devices of one batch. */
  readonly batchMax: number;
  /** Concurrent batches. Default 4. */
  readonly batchesMax?: number;
}

interface WaitingRead {
  readonly resolve: (state: DeviceState | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads single devices in batches when many are asked for concurrently, and without delay when few are: as long as fewer batches
 * are on their way than may be, a read begins immediately. A read never joins a batch that has begun, so that it sees whatever
 * was written before it was asked for.
 */
export function coalescedReads({
  readBatch,
  batchMax,
  batchesMax = 4,
}: CoalescedReadsOptions): Pick<LatestStateTable, 'read'> {
  const waiting = new Map<DeviceId, WaitingRead[]>();
  let batchCount = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || batchCount >= batchesMax || waiting.size === 0) return;
    isScheduled = true;
    // Reads of one turn of the event loop travel together.
    setImmediate(() => {
      isScheduled = false;
      void send();
      schedule();
    });
  }

  async function send(): Promise<void> {
    const batch = [...waiting].slice(0, batchMax);
    for (const [deviceId] of batch) waiting.delete(deviceId);
    batchCount += 1;
    try {
      const found = await readBatch(batch.map(([deviceId]) => deviceId));
      for (const [deviceId, reads] of batch) settle(reads, found.get(deviceId));
    } catch (error) {
      for (const [, reads] of batch) for (const read of reads) read.reject(error);
    } finally {
      batchCount -= 1;
      schedule();
    }
  }

  return {
    read: (deviceId, { signal } = {}) =>
      new Promise<DeviceState | undefined>((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => reject(signal?.reason);
        signal?.addEventListener('abort', abort, { once: true });
        // A signal may live as long as the process: each listener that stayed would make the next one more expensive.
        const release = () => signal?.removeEventListener('abort', abort);
        const read: WaitingRead = {
          resolve: (state) => {
            release();
            resolve(state);
          },
          reject: (error) => {
            release();
            reject(error);
          },
        };
        const reads = waiting.get(deviceId);
        if (reads === undefined) waiting.set(deviceId, [read]);
        else reads.push(read);
        schedule();
      }),
  };
}

function settle(reads: readonly WaitingRead[], found: DeviceState | Error | undefined): void {
  for (const { resolve, reject } of reads) {
    if (found instanceof Error) reject(found);
    else resolve(found);
  }
}
