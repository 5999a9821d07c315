import type { DeviceId } from '@twinstream/device-model';

/** Devices that are worked on concurrently: each waits for a few small reads. */
export const DEVICES_AT_ONCE = 64;

/** Works on every device, a limited number concurrently. Rejects with the first failure, after the others have ended. */
export async function forEachDevice(
  devices: AsyncIterable<DeviceId>,
  atOnce: number,
  signal: AbortSignal,
  work: (deviceId: DeviceId) => Promise<void>,
): Promise<void> {
  const iterator = devices[Symbol.asyncIterator]();
  let hasFailed = false;
  const worker = async () => {
    while (!hasFailed) {
      signal.throwIfAborted();
      const next = await iterator.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    worker().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  await iterator.return?.();
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
