import { type Item, readText } from '@twinstream/aws/dynamodb';
import type { DeviceState } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { readAttributeMap } from '../src/attribute-map.ts';
import { decodeState, repeatedAttributes, stateItem } from '../src/state-item.ts';

/*
 * The form that state items had before 2026-12, for tests of two releases that work side by side. Held to the code of then: its
 * property test ran against that code itself, and the recorded item of it is in `test/stored-forms.test.ts`.
 */

/** The item that a release of before 2026-12 writes: it says everything, also what another attribute says. */
export function formerStateItem(state: DeviceState): Item {
  const item = stateItem(state);
  for (const [name, value] of Object.entries(repeatedAttributes(state))) {
    if (value !== undefined) item[name] = value;
  }
  return item;
}

/** Reads an item as a release of before 2026-12 does. Throws `DAMAGED_STATE` where the item leaves out what that release needs. */
export function readAsFormerRelease(item: Item): DeviceState {
  const missing = missingForFormerRelease(item);
  if (missing === undefined) return decodeState(item);
  throw new CodedError('DAMAGED_STATE', `the state of ${item.deviceId?.S} cannot be read: ${missing}`);
}

const MARK = /^[^:]+:\d+:\d+@\d+$/;

function missingForFormerRelease(item: Item): string | undefined {
  const [position = '', marks = ''] = [readText(item, 'position'), readText(item, 'marks')];
  if (item.arrivalMax === undefined) return 'no arrivalMax';
  if (item.statusVersion === undefined) return 'no statusVersion';
  if (item.lastEventTime !== undefined && item.lastEventVersion === undefined) return 'no lastEventVersion';
  if (position !== '' && !position.includes(':')) return `not a position: ${position}`;
  if (marks !== '' && !marks.split(' ').every((mark) => MARK.test(mark))) return `not marks: ${marks}`;
  const lists: readonly unknown[] = Object.values(JSON.parse(readText(item, 'versions') ?? '{}'));
  // It takes the text "*" for a list of one name, and misses the version of every other attribute.
  const named = lists.flatMap((names) => (Array.isArray(names) ? names : [...String(names)]));
  const unnamed = [...readAttributeMap(item.attributes?.M ?? {}).keys()].find(
    (name) => !named.includes(name),
  );
  return unnamed === undefined ? undefined : `${unnamed} has no version`;
}
