import { z } from 'zod';
import { deviceSchema } from './device-json.ts';

/** Members of a device that an answer is to hold. Its id is always among them. */
export interface FieldSelection {
  /** As they were given, without repetition. */
  readonly names: readonly string[];
  /** Members that are wanted whole. */
  readonly members: ReadonlySet<string>;
  /** Single attributes, where `attributes` is not wanted whole. */
  readonly attributes: readonly string[];
}

const DEVICE_MEMBERS: ReadonlySet<string> = new Set(Object.keys(deviceSchema.shape));
/** All members that an answer holds when nothing is selected. */
const ALL = '*';
const ATTRIBUTE_PREFIX = 'attributes.';
const CHARACTERS_MAX = 2_048;
const NAMES_MAX = 100;

/** The parameter `fields`; `extras` are members that only this operation has, and only where they are named. */
export function fieldsParameter(extras: readonly string[] = []) {
  const names = [...DEVICE_MEMBERS, ...extras];
  const rule = `must be up to ${NAMES_MAX} of ${[ALL, ...names].join(', ')} or attributes.<name>, with commas between`;
  const isField = (name: string) =>
    name === ALL || names.includes(name) || (name.startsWith(ATTRIBUTE_PREFIX) && name !== ATTRIBUTE_PREFIX);
  return z
    .string(rule)
    .min(1, rule)
    .max(CHARACTERS_MAX, rule)
    .refine((text) => {
      const given = text.split(',');
      return given.length <= NAMES_MAX && given.every(isField);
    }, rule)
    .optional()
    .meta({
      description: `Members to answer with, with commas between: ${names.join(', ')}, or attributes.<name> for a single one. \`*\` stands for all that are answered by default. The id is always among them.`,
    });
}

/** Undefined when everything is wanted. */
export function readFieldSelection(fields: string | undefined): FieldSelection | undefined {
  if (fields === undefined) return undefined;
  const names = [...new Set(fields.split(','))].sort();
  const members = new Set(['deviceId']);
  const attributes: string[] = [];
  for (const name of names) {
    if (name === ALL) for (const member of DEVICE_MEMBERS) members.add(member);
    else if (name.startsWith(ATTRIBUTE_PREFIX)) attributes.push(name.slice(ATTRIBUTE_PREFIX.length));
    else members.add(name);
  }
  return { names, members, attributes: members.has('attributes') ? [] : attributes };
}

/** The selected members, in their usual order. */
export function selectFields(
  device: Readonly<Record<string, unknown>> & { readonly attributes: Readonly<Record<string, unknown>> },
  { members, attributes }: FieldSelection,
): Record<string, unknown> {
  const selected: [string, unknown][] = [];
  for (const [name, value] of Object.entries(device)) {
    if (members.has(name)) selected.push([name, value]);
    else if (name === 'attributes' && attributes.length > 0) {
      const present = attributes.filter((attribute) => Object.hasOwn(device.attributes, attribute));
      selected.push([
        name,
        Object.fromEntries(present.map((attribute) => [attribute, device.attributes[attribute]])),
      ]);
    }
  }
  return Object.fromEntries(selected);
}
