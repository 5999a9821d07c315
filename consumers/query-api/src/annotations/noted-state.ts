import type { DeviceJson } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import type { DescribedState } from '@twinstream/event-store';
import { annotationBits, type DeviceAnnotations, NOTE } from '@twinstream/table-generation/annotations';
import { stateLiveness, timelessDeviceJson } from '../device-json.ts';
import { notedJson } from '../fleet/noted-device.ts';
import { type OpenGaps, openGaps } from '../open-gaps.ts';
import type { QueryApiServices } from '../services.ts';

/** What is noted of a device now, and its gaps, which are looked for once at most. */
export interface Notes {
  readonly annotations: DeviceAnnotations;
  /** Bits of {@link NOTE}. */
  readonly notes: number;
  readonly gaps: () => Promise<OpenGaps | undefined>;
}

type NotesServices = Pick<QueryApiServices, 'events' | 'annotations' | 'gapsAgeOutMs' | 'logger'>;

/**
 * What holds of the annotations of a device, and whether its gaps are too old, which reads its last events where a setting asks for
 * it. Annotations that cannot be read are logged and taken as absent: the state of a device does not depend on them.
 */
export async function readNotes(
  services: NotesServices,
  state: DescribedState,
  timeMs: number,
  signal: AbortSignal,
): Promise<Notes> {
  const { events, gapsAgeOutMs } = services;
  const annotations = await readAnnotations(services, state.deviceId, signal);
  const { lastArrivalTime, counts } = state;
  const hasGaps = counts.gaps > 0;
  let found: Promise<OpenGaps | undefined> | undefined;
  const gaps = () => {
    found ??= hasGaps ? openGaps(events, state, signal) : Promise.resolve(undefined);
    return found;
  };
  const isAged = async (ageMs: number) => {
    const openedMs = (await gaps())?.newestMs ?? lastArrivalTime;
    return openedMs !== undefined && timeMs - openedMs > ageMs;
  };
  const aged = hasGaps && gapsAgeOutMs !== undefined && (await isAged(gapsAgeOutMs)) ? NOTE.gapsAgedOut : 0;
  return { annotations, notes: annotationBits(annotations, { lastArrivalTime, counts }) | aged, gaps };
}

async function readAnnotations(
  { annotations, logger }: NotesServices,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceAnnotations> {
  try {
    return (await annotations?.read(deviceId, signal)) ?? {};
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ deviceId, error }, 'annotations not read');
    return {};
  }
}

/** State of a device as it is answered, with its liveness at `timeMs`, as far as its shards were processed. */
export function deviceJson(
  state: DescribedState,
  { liveness }: Pick<QueryApiServices, 'liveness'>,
  timeMs: number,
  processedMs: number | undefined,
  notes: number,
): DeviceJson {
  const now = stateLiveness(state, liveness, timeMs, processedMs);
  return notedJson(timelessDeviceJson(state), now, notes);
}
