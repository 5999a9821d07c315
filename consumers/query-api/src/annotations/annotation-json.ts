import type { AcknowledgementJson, RetirementJson, Trouble } from '@twinstream/api-contract';
import { type DeviceAnnotations, isAcknowledged, NOTE } from '@twinstream/table-generation/annotations';
import { isoTime } from '../device-json.ts';

/** The acknowledgement of a trouble, where it holds; null otherwise. */
export function acknowledgementOf(
  annotations: DeviceAnnotations | undefined,
  notes: number,
  trouble: Trouble,
): AcknowledgementJson | null {
  const found = annotations?.[trouble];
  if (found === undefined || !isAcknowledged(notes, trouble)) return null;
  return { by: found.by, time: isoTime(found.time), note: found.note };
}

/** The retirement of a device, where it holds; null otherwise. */
export function retirementOf(
  annotations: DeviceAnnotations | undefined,
  notes: number,
): RetirementJson | null {
  const found = annotations?.retirement;
  if (found === undefined || (notes & NOTE.retired) === 0) return null;
  return { by: found.by, time: isoTime(found.time), reason: found.reason };
}
