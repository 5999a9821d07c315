import { z } from 'zod';

const text = z.object({ S: z.string() });
const image = z.object({ status: text, statusVersion: text, site: text.optional() });

// "Using Lambda with DynamoDB", example event, read 2026-11. Only what is read is checked.
export const stateChangeSchema = z.object({
  dynamodb: z.object({
    SequenceNumber: z.string(),
    Keys: z.object({ deviceId: text }),
    NewImage: image.optional(),
    OldImage: image.optional(),
  }),
});

/** What the bus is told. */
export interface StatusChange {
  /** The same change has the same id, however often it is told: receivers drop what they have seen. */
  readonly id: string;
  readonly deviceId: string;
  readonly status: string;
  /** Absent for a device that was not known before. */
  readonly previousStatus?: string;
  /** Version of the event that changed the status; of two changes of a device the greater one is the newer. */
  readonly statusVersion: string;
  readonly site?: string;
}

/** The change of status in a change of state; undefined where the status stayed as it was. */
export function statusChange({ dynamodb }: z.infer<typeof stateChangeSchema>): StatusChange | undefined {
  const { Keys, NewImage: now, OldImage: before } = dynamodb;
  // A device that has reported no connection status changes nothing.
  if (now === undefined || now.status.S === (before?.status.S ?? 'unknown')) return undefined;
  const deviceId = Keys.deviceId.S;
  return {
    id: `${deviceId}/${now.statusVersion.S}/${now.status.S}`,
    deviceId,
    status: now.status.S,
    ...(before === undefined ? {} : { previousStatus: before.status.S }),
    statusVersion: now.statusVersion.S,
    ...(now.site === undefined ? {} : { site: now.site.S }),
  };
}
