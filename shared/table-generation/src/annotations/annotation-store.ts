import type { DeviceId } from '@twinstream/device-model';
import type { AnnotationName, DeviceAnnotations } from './annotation.ts';

/**
 * Keeps what operators said of devices, beside the stream: of each device the last of each kind. What is kept of one name and cannot
 * be read is left out, and hides nothing else.
 */
export interface AnnotationStore {
  /** What is kept of one device, as it stands now. */
  read(deviceId: DeviceId, signal?: AbortSignal): Promise<DeviceAnnotations>;
  /** Puts one annotation in the place of that of its name. The others of the device stay, also where others write them meanwhile. */
  write<Name extends AnnotationName>(
    deviceId: DeviceId,
    name: Name,
    annotation: NonNullable<DeviceAnnotations[Name]>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Raises the revision alone, for what was written by a write that failed before it did. */
  raise(signal?: AbortSignal): Promise<void>;
  /**
   * A number that rises once what was written can be read: a reader that reads it first, and then everything, has everything up to
   * it. Where a writer dies before it raised the number, its write is seen with the next one.
   */
  revision(signal?: AbortSignal): Promise<number>;
  all(signal?: AbortSignal): AsyncIterable<readonly [DeviceId, DeviceAnnotations]>;
}
