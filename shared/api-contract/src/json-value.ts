import type { JsonValue } from '@twinstream/device-model';
import { z } from 'zod';

/** Not looked into: what a device sent is answered in its own digits and at any depth. */
export const jsonValueSchema = z.custom<JsonValue>(() => true).meta({ description: 'Any JSON value.' });
