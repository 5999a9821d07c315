import type { JsonValue } from '@twinstream/device-model';
import { z } from 'zod';

/** Not looked into: what a device sent is answered in its own digits and at any depth. */
export const jsonValueSchema = z.custom<JsonValue>(() => true).meta({ description: 'Any JSON value.' });

/** Name of the schema below in the components of the document. */
export const ATTRIBUTE_VALUE = 'AttributeValue';
const REFERENCE = { $ref: `#/components/schemas/${ATTRIBUTE_VALUE}` } as const;

/** JSON Schema of a value that an attribute can take. Numbers with more digits than a double holds are sent as text. */
export const ATTRIBUTE_VALUE_SCHEMA = {
  description: 'A JSON value. A number with more digits than a double holds is refused: send it as text.',
  anyOf: [
    { type: ['null', 'boolean', 'string'] },
    { type: 'number', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    { type: 'array', items: REFERENCE },
    { type: 'object', propertyNames: { minLength: 1 }, additionalProperties: REFERENCE },
  ],
} as const;
