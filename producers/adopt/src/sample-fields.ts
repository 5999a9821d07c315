import { isJsonObject, type JsonObject, type JsonValue } from '@twinstream/device-model';
import { MAPPING_LIMITS } from '@twinstream/payload-mapping';

/** A scalar member of the samples, at one path, over all items. */
export interface Field {
  /** Names from the item down. */
  readonly names: readonly string[];
  /** The path as mappings write it. */
  readonly path: string;
  /** The name under which flattening puts it. */
  readonly flatName: string;
  /** Its values, item by item; undefined where an item has none. */
  readonly values: readonly (JsonValue | undefined)[];
  /** Share of the items that have it, 0 to 1. */
  readonly share: number;
}

export const SEPARATOR = '.';
/** Objects inside objects that are looked into. */
const DEPTH_MAX = 4;
const FIELDS_MAX = 500;

/** All scalar members of the items, in the order of their first appearance. */
export function fieldsOf(items: readonly JsonObject[]): readonly Field[] {
  const found = new Map<string, { names: readonly string[]; values: (JsonValue | undefined)[] }>();
  for (const [index, item] of items.entries()) {
    visit(item, [], (names, value) => {
      const key = JSON.stringify(names);
      let field = found.get(key);
      if (field === undefined) {
        if (found.size >= FIELDS_MAX) return;
        field = { names, values: new Array<JsonValue | undefined>(items.length).fill(undefined) };
        found.set(key, field);
      }
      field.values[index] = value;
    });
  }
  return [...found.values()].map(({ names, values }) => ({
    names,
    path: pathOf(names),
    flatName: names.join(SEPARATOR),
    values,
    share: values.filter((value) => value !== undefined).length / items.length,
  }));
}

function visit(
  object: JsonObject,
  above: readonly string[],
  enter: (names: readonly string[], value: JsonValue) => void,
): void {
  for (const [name, value] of Object.entries(object)) {
    const names = [...above, name];
    if (isJsonObject(value)) {
      if (names.length < DEPTH_MAX) visit(value, names, enter);
    } else if (!Array.isArray(value) && isNameable(names)) enter(names, value);
  }
}

/** Whether a mapping can name a member: neither an empty name nor a path beyond its limit. */
function isNameable(names: readonly string[]): boolean {
  return !names.includes('') && pathOf(names).length <= MAPPING_LIMITS.pathCharactersMax - ROOT_CHARACTERS;
}

/** Of `$payload` before a path. */
const ROOT_CHARACTERS = 10;

const PLAIN_NAME = /^[^.[\]"$][^.[\]"]*$/;

/** A path from the item down, as mappings write it. */
export function pathOf(names: readonly string[]): string {
  return names.map(segmentOf).join('').replace(/^\./, '');
}

export function segmentOf(name: string): string {
  return PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** The last name of a field in one style: `deviceId`, `device_id` and `Device-ID` are `deviceid`. */
export function plainName({ names }: Pick<Field, 'names'>): string {
  return (names.at(-1) ?? '').toLowerCase().replace(/[^a-z0-9]/g, '');
}
