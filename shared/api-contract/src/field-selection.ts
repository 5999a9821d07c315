import { z } from 'zod';
import { deviceSchema } from './device.ts';

/** Members of a device that `fields` may name. */
export const DEVICE_MEMBERS: ReadonlySet<string> = new Set(Object.keys(deviceSchema.shape));
/** All members that an answer holds when nothing is selected. */
export const ALL_FIELDS = '*';
/** Before the name of a single attribute. */
export const ATTRIBUTE_PREFIX = 'attributes.';
const CHARACTERS_MAX = 2_048;
const NAMES_MAX = 100;

/** The parameter `fields`; `extras` are members that only this operation has, and only where they are named. */
export function fieldsParameter(extras: readonly string[] = []) {
  const names = [...DEVICE_MEMBERS, ...extras];
  const rule = `must be up to ${NAMES_MAX} of ${[ALL_FIELDS, ...names].join(', ')} or attributes.<name>, with commas between`;
  // A rule that a schema can state, so that the document says what is checked.
  const name = `(?:\\*|${names.join('|')}|attributes\\.[^,]+)`;
  const pattern = new RegExp(`^${name}(?:,${name}){0,${NAMES_MAX - 1}}$`, 'u');
  return z
    .string(rule)
    .min(1, rule)
    .max(CHARACTERS_MAX, rule)
    .regex(pattern, rule)
    .optional()
    .meta({
      description: `Members to answer with, with commas between: ${names.join(', ')}, or attributes.<name> for a single one. \`*\` stands for all that are answered by default. The id is always among them.`,
    });
}
