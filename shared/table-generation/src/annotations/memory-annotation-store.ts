import type { DeviceId } from '@twinstream/device-model';
import type { DeviceAnnotations } from './annotation.ts';
import type { AnnotationStore } from './annotation-store.ts';

/** Annotations in memory. */
export function memoryAnnotationStore(): AnnotationStore {
  const all = new Map<DeviceId, DeviceAnnotations>();
  let revision = 0;
  return {
    read: async (deviceId) => all.get(deviceId) ?? {},
    write: async (deviceId, name, annotation) => {
      all.set(deviceId, { ...all.get(deviceId), [name]: annotation });
      revision += 1;
    },
    raise: async () => {
      revision += 1;
    },
    revision: async () => revision,
    all: async function* () {
      yield* all;
    },
  };
}
