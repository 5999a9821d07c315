import { tableText } from '@twinstream/command-line';
import type { DeviceState, JsonValue } from '@twinstream/device-model';
import { presentAttributes } from '@twinstream/device-model';
import { nearestName } from './nearest-name.ts';

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
