import type { DeviceId, EntryDecoder } from '@twinstream/device-model';
import { decodeEntries, type Redriven } from '../replay-entry.ts';
import { noCounts } from '../replay-job.ts';
import type { ReplaySpec } from '../replay-spec.ts';
import type { ReplaySource, SourceQuery } from './replay-source.ts';

/** What is asked of a source before a replay begins. */
export interface LookAhead {
  readonly spec: Pick<ReplaySpec, 'parts' | 'shards'>;
  readonly decoder?: EntryDecoder | undefined;
  readonly sourceOf: (source: ReplaySpec['parts'][number]['source']) => ReplaySource;
  readonly signal: AbortSignal;
}

/** Which of the devices the source has events of. Reads the window until all are found. */
export async function devicesInSource(
  { spec, decoder, sourceOf, signal }: LookAhead,
  devices: readonly DeviceId[],
  redriven: Redriven,
): Promise<ReadonlySet<DeviceId>> {
  const wanted = new Set(devices);
  const found = new Set<DeviceId>();
  const done = new AbortController();
  const query = { signal: AbortSignal.any([signal, done.signal]) };
  for (const { source, ...window } of spec.parts) {
    if (source === 'event-store' || found.size === wanted.size) continue;
    try {
      await sourceOf(source).read(queryOf(spec, { ...window, ...query }), async (batch) => {
        const options = { decoder, devices: wanted, redriven, isRefused: async () => false };
        for await (const { arrived } of decodeEntries(batch, options, noCounts())) {
          found.add(arrived.event.deviceId);
        }
        if (found.size === wanted.size) done.abort();
        query.signal.throwIfAborted();
      });
    } catch (error) {
      if (!done.signal.aborted || signal.aborted) throw error;
    }
  }
  return found;
}

/** Throws what a replay would throw over a part of the source that it cannot use. */
export async function checkSource({ spec, sourceOf, signal }: LookAhead): Promise<void> {
  for (const { source, ...window } of spec.parts) {
    if (source !== 'event-store') await sourceOf(source).check?.(queryOf(spec, { ...window, signal }));
  }
}

function queryOf(
  { shards }: LookAhead['spec'],
  window: Pick<SourceQuery, 'fromMs' | 'toMs' | 'signal'>,
): SourceQuery {
  return { ...window, shards, checkpoints: {} };
}
