import { z } from 'zod';
import { deviceSchema } from './device.ts';

/** The messages of the update stream by the name of their event; where `fields` is given, a device has those members alone. */
export const updateSchemas = {
  device: deviceSchema,
  leave: z.object({ deviceIds: z.array(z.string()) }),
  sync: z.object({ asOf: z.iso.datetime() }),
} as const;

/** The data of each message by the name of its event. */
export type Updates = {
  readonly [Name in keyof typeof updateSchemas]: z.infer<(typeof updateSchemas)[Name]>;
};
