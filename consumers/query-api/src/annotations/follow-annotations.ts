import type { DeviceId } from '@twinstream/device-model';
import type { Logger } from '@twinstream/runtime';
import type { AnnotationStore, DeviceAnnotations } from '@twinstream/table-generation/annotations';

/** Annotations of the whole fleet, kept as new as they are stored: one small read a cycle while nothing is written. */
export interface FollowedAnnotations {
  /** Hears of everything that is stored, where that is not what it heard last. Where it cannot be read it is logged, and tried again. */
  catchUp(
    hear: (annotations: ReadonlyMap<DeviceId, DeviceAnnotations>) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** The next time everything is told again. */
  again(): void;
}

export function followAnnotations(
  store: Pick<AnnotationStore, 'revision' | 'all'>,
  logger: Logger,
): FollowedAnnotations {
  let heard: number | undefined;
  return {
    catchUp: async (hear, signal) => {
      try {
        const revision = await store.revision(signal);
        if (revision === heard) return;
        hear(new Map(await Array.fromAsync(store.all(signal))));
        heard = revision;
      } catch (error) {
        if (!signal.aborted) logger.warn({ error }, 'annotations not followed');
      }
    },
    again: () => {
      heard = undefined;
    },
  };
}
