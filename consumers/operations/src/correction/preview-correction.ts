import { tableText } from '@twinstream/command-line';
import { type DeviceState, type JsonValue, presentAttributes } from '@twinstream/device-model';

/** What a correction does to one attribute. */
export interface AttributeChange {
  readonly name: string;
  /** Undefined where the device has no such attribute. */
  readonly before: JsonValue | undefined;
  /** Undefined where it is removed. */
  readonly after: JsonValue | undefined;
  /** True where the device has no attribute of this name: it may be misspelt. */
  readonly isNew: boolean;
  /** What the name may have meant. */
  readonly nearest?: string;
}

/** What the attributes of a correction change of a state, by the latest that is stored. */
export function attributeChanges(
  state: DeviceState | undefined,
  data: Readonly<Record<string, JsonValue>>,
): readonly AttributeChange[] {
  const known = new Map(state === undefined ? [] : presentAttributes(state));
  return Object.entries(data).map(([name, value]) => {
    const isNew = !known.has(name);
    const nearest = isNew ? nearestName(name, known.keys()) : undefined;
    return {
      name,
      before: known.get(name),
      after: value === null ? undefined : value,
      isNew,
      ...(nearest === undefined ? {} : { nearest }),
    };
  });
}

export function changesText(changes: readonly AttributeChange[]): string {
  const shown = (value: JsonValue | undefined) => (value === undefined ? '-' : JSON.stringify(value));
  return tableText(
    ['attribute', 'now', 'will be', 'note'].map((title) => ({ title })),
    changes.map((change) => [change.name, shown(change.before), shown(change.after), noteOf(change)]),
  );
}

function noteOf({ before, after, isNew, nearest }: AttributeChange): string {
  if (isNew && after === undefined) return `nothing to remove${meant(nearest)}`;
  if (isNew) return `NEW: the device has no such attribute${meant(nearest)}`;
  if (after === undefined) return 'removed';
  return JSON.stringify(before) === JSON.stringify(after) ? 'as it is' : '';
}

function meant(nearest: string | undefined): string {
  return nearest === undefined ? '' : `; is ${nearest} meant?`;
}

/** Letters that may differ in a name that is taken for a misspelling of another. */
const DISTANCE_MAX = 2;

/** The known name that a new one is likely to have meant: other letter case, or one or two letters off. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let [nearest, least]: [string | undefined, number] = [undefined, DISTANCE_MAX + 1];
  for (const other of known) {
    const distance =
      other.toLowerCase() === name.toLowerCase() ? 0 : editDistance(name, other, DISTANCE_MAX + 1);
    // A name of three letters is two letters off from too many.
    if (distance < least && distance < Math.max(1, Math.min(name.length, other.length) / 2)) {
      [nearest, least] = [other, distance];
    }
  }
  return nearest;
}

/** Insertions, deletions and replacements from one text to another (Levenshtein), or `max` where it takes as many. */
function editDistance(from: string, to: string, max: number): number {
  if (Math.abs(from.length - to.length) >= max) return max;
  let before = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (before[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (before[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    before = current;
  }
  return Math.min(max, before[to.length] ?? max);
}
