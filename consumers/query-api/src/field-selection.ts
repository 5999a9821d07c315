import {
  ALL_FIELDS,
  ATTRIBUTE_PREFIX,
  DEVICE_MEMBERS,
  type DeviceJson,
  type SelectedDevice,
} from '@twinstream/api-contract';

/** Members of a device that an answer is to hold. Its id is always among them. */
export interface FieldSelection {
  /** As they were given, without repetition. */
  readonly names: readonly string[];
  /** Members that are wanted whole. */
  readonly members: ReadonlySet<string>;
  /** Single attributes, where `attributes` is not wanted whole. */
  readonly attributes: readonly string[];
}

/** Undefined when everything is wanted. */
export function readFieldSelection(fields: string | undefined): FieldSelection | undefined {
  if (fields === undefined) return undefined;
  const names = [...new Set(fields.split(','))].sort();
  const members = new Set(['deviceId']);
  const attributes: string[] = [];
  for (const name of names) {
    if (name === ALL_FIELDS) for (const member of DEVICE_MEMBERS) members.add(member);
    else if (name.startsWith(ATTRIBUTE_PREFIX)) attributes.push(name.slice(ATTRIBUTE_PREFIX.length));
    else members.add(name);
  }
  return { names, members, attributes: members.has('attributes') ? [] : attributes };
}

/** The selected members, in their usual order. */
export function selectFields(device: DeviceJson, { members, attributes }: FieldSelection): SelectedDevice {
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
  // Each member is one of the device's own, its id always among them; TypeScript does not follow entries.
  return Object.fromEntries(selected) as SelectedDevice;
}
