import type { DeliveryRejection, DeliveryStream } from '@twinstream/event-archiver';

/** What one request meets: which records are not taken, an error, or no answer before the signal is aborted. */
export type Step = { readonly reject: (index: number) => boolean } | { readonly fail: Error } | 'hang';

export interface ScriptedDeliveryStream extends DeliveryStream {
  readonly requests: (readonly Uint8Array[])[];
  /** Lines of what was taken. */
  lines(): string[];
  /** Requests that are not settled. */
  readonly open: number;
}

/** A delivery stream that follows a script, and takes everything once that has ended. */
export function scriptedDeliveryStream(script: readonly Step[]): ScriptedDeliveryStream {
  const steps = [...script];
  const requests: (readonly Uint8Array[])[] = [];
  const taken: Uint8Array[] = [];
  let open = 0;

  async function follow(records: readonly Uint8Array[], signal: AbortSignal | undefined) {
    const step = steps.shift();
    if (step === 'hang') {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    } else if (step !== undefined && 'fail' in step) throw step.fail;
    const rejections: DeliveryRejection[] = [];
    for (const [index, record] of records.entries()) {
      if (typeof step === 'object' && step.reject(index)) {
        rejections.push({ index, errorCode: 'ServiceUnavailableException' });
      } else taken.push(record);
    }
    return rejections;
  }

  return {
    requests,
    lines: () => taken.flatMap((record) => Buffer.from(record).toString().split('\n').slice(0, -1)),
    get open() {
      return open;
    },
    async put(records, signal) {
      signal?.throwIfAborted();
      requests.push(records);
      open += 1;
      try {
        return await follow(records, signal);
      } finally {
        open -= 1;
      }
    },
  };
}
