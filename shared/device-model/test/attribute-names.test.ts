import {
  attributeNameBytes,
  type DeviceState,
  type EventVersion,
  newDevice,
  withAttributesBounded,
} from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { dropOldestAttributes, isBelowAttributesFloor } from '../src/attribute-bound.ts';
import { DEVICE } from './device-chain.ts';

const version = (counter: number): EventVersion => ({ session: 1, counter, ordinal: 0, revision: 0 });
const stateOf = (...named: readonly (readonly [string, number])[]): DeviceState => ({
  ...newDevice(DEVICE),
  attributes: new Map(named.map(([name, counter]) => [name, { value: 1, version: version(counter) }])),
});
/** What a name of one letter takes. */
const LETTER_BYTES = 43;
const namesOf = ({ attributes }: DeviceState) => [...attributes.keys()];

describe('a name takes', () => {
  test.each([
    ['a', LETTER_BYTES],
    ['speed', 5 + 2 + 40],
    ['a"b', 4 + 2 + 40],
    ['\u0001', 6 + 2 + 40],
    ['ä', 2 + 2 + 40],
    ['site', 0],
    ['type', 0],
    ['firmware', 0],
  ])('%j: %i bytes of the bound, its JSON and the text of a version, a label none', (name, bytes) => {
    expect(attributeNameBytes(name)).toBe(bytes);
  });
});

describe('a state whose names exceed the bound', () => {
  test('drops all names of the lowest version together, and says so by its floor', () => {
    const bounded = withAttributesBounded(stateOf(['a', 1], ['b', 3], ['c', 1], ['d', 2]), 3 * LETTER_BYTES);
    expect(namesOf(bounded)).toEqual(['b', 'd']);
    expect(bounded.attributesFloor).toEqual(version(1));
  });

  test('goes on to the next lowest version until the names fit', () => {
    const bounded = withAttributesBounded(stateOf(['a', 2], ['b', 3], ['c', 1]), LETTER_BYTES);
    expect(namesOf(bounded)).toEqual(['b']);
    expect(bounded.attributesFloor).toEqual(version(2));
  });

  test('keeps labels, however old, and ends when they are all that is left', () => {
    const bounded = withAttributesBounded(stateOf(['site', 0], ['a', 2], ['type', 1]), 0);
    expect(namesOf(bounded)).toEqual(['site', 'type']);
    expect(bounded.attributesFloor).toEqual(version(2));
    const labels = { attributes: new Map(stateOf(['site', 0]).attributes) };
    expect(dropOldestAttributes(labels, 5, 0)).toBe(5);
    expect(labels).not.toHaveProperty('attributesFloor');
  });

  test('tells what the names that it keeps take', () => {
    const draft = { attributes: new Map(stateOf(['a', 1], ['b', 2]).attributes) };
    expect(dropOldestAttributes(draft, 2 * LETTER_BYTES, LETTER_BYTES)).toBe(LETTER_BYTES);
  });

  test('is returned unchanged where its names fit exactly', () => {
    const state = stateOf(['a', 1], ['b', 2]);
    expect(withAttributesBounded(state, 2 * LETTER_BYTES)).toBe(state);
    expect(withAttributesBounded(state)).toBe(state);
  });
});

test('a version at the floor or below it is superseded for a name that is not kept, unless it is a label', () => {
  const floored = { attributesFloor: version(5) };
  expect(isBelowAttributesFloor(floored, 'a', version(4))).toBe(true);
  expect(isBelowAttributesFloor(floored, 'a', version(5))).toBe(true);
  expect(isBelowAttributesFloor(floored, 'a', version(6))).toBe(false);
  expect(isBelowAttributesFloor(floored, 'site', version(4))).toBe(false);
  expect(isBelowAttributesFloor({}, 'a', version(4))).toBe(false);
});
