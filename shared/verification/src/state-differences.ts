import type { DeviceState } from '@twinstream/device-model';
import { canonicalText } from './canonical-text.ts';

/** What one state says and another does not. */
export interface StateDifference {
  /** A member of the state, or `attributes.` and a name. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
}

/** Every member, attribute and high-water mark in which two states differ, those that only one of them has included. */
export function stateDifferences(expected: DeviceState, found: DeviceState): readonly StateDifference[] {
  const differences: StateDifference[] = [];
  const compare = (subject: string, a: unknown, b: unknown) => {
    const [left, right] = [canonicalText(a), canonicalText(b)];
    if (left !== right) differences.push({ subject, expected: left, found: right });
  };
  const members = new Set([...Object.keys(expected), ...Object.keys(found)]) as Set<keyof DeviceState>;
  for (const member of members) {
    if (member !== 'attributes') compare(member, expected[member], found[member]);
  }
  for (const name of new Set([...expected.attributes.keys(), ...found.attributes.keys()])) {
    compare(`attributes.${name}`, expected.attributes.get(name), found.attributes.get(name));
  }
  return differences;
}
