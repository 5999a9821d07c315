import { type DeviceState, LABELS, type VersionedValue } from './device-state.ts';
import { compareVersions, type EventVersion } from './event-version.ts';
import { STATE_RECEIPT_LIMITS } from './receipts.ts';

/*
 * How many attribute names a state keeps. Names that hold times or ids never end, and a removed one is as long as one that
 * stands. A state keeps the attributes, values and tombstones alike, of the highest versions, as far as their names fit
 * into `attributeNameBytesMax`; the highest version that it does not keep is the floor. Whatever comes later at or below the
 * floor, for a name that is not kept, is as good as superseded.
 *
 * So the kept attributes and the floor are a function of the newest version of each name, and not of the order in which
 * events came: a name counts the same with every version and value, hence the bytes above any version only grow, and what
 * was dropped once would not fit later either. That is why values do not count, and why a tombstone is not dropped
 * before a value (their number falls again): either would make the state depend on the order. All names of one version
 * stand or fall together. Labels are kept always: they are three.
 */

/** What the text of a counted version takes beside a name: two integers of 16 digits and punctuation. */
const VERSION_BYTES = 40;

/** What a name of the most characters takes: six bytes each, as an escaped control character. */
const NAME_BYTES_MAX = 128 * 6 + 2 + VERSION_BYTES;

const LABEL_NAMES: ReadonlySet<string> = new Set(LABELS);
/** Printable ASCII without quotation marks and backslashes: JSON adds two quotation marks to it, and nothing else. */
const PLAIN = /^[ !#-[\]-~]*$/;
const ENCODER = new TextEncoder();

interface BoundedAttributes {
  readonly attributes: Map<string, VersionedValue>;
  attributesFloor?: EventVersion;
}

/** What a name takes of `attributeNameBytesMax`: its JSON in UTF-8 and the text of its version; a label nothing. */
export function attributeNameBytes(name: string): number {
  if (LABEL_NAMES.has(name)) return 0;
  const jsonBytes = PLAIN.test(name) ? name.length + 2 : ENCODER.encode(JSON.stringify(name)).length;
  return jsonBytes + VERSION_BYTES;
}

/** What all names of a state take. */
export function attributeNamesBytes(attributes: ReadonlyMap<string, unknown>): number {
  let bytes = 0;
  for (const name of attributes.keys()) bytes += attributeNameBytes(name);
  return bytes;
}

/** True where an attribute that is not kept may have been, with a version that is as new or newer. */
export function isBelowAttributesFloor(
  { attributesFloor }: Pick<DeviceState, 'attributesFloor'>,
  name: string,
  version: EventVersion,
): boolean {
  return (
    attributesFloor !== undefined && compareVersions(version, attributesFloor) <= 0 && !LABEL_NAMES.has(name)
  );
}

/** Drops the attributes of the lowest versions, in place, until the names take `bytesMax` at most. Returns what they take then. */
export function dropOldestAttributes(draft: BoundedAttributes, bytes: number, bytesMax: number): number {
  let kept = bytes;
  while (kept > bytesMax) {
    const lowest = lowestVersion(draft.attributes);
    if (lowest === undefined) return kept;
    for (const [name, { version }] of draft.attributes) {
      if (LABEL_NAMES.has(name) || compareVersions(version, lowest) > 0) continue;
      draft.attributes.delete(name);
      kept -= attributeNameBytes(name);
    }
    draft.attributesFloor = lowest;
  }
  return kept;
}

function lowestVersion(attributes: ReadonlyMap<string, VersionedValue>): EventVersion | undefined {
  let lowest: EventVersion | undefined;
  for (const [name, { version }] of attributes) {
    if (LABEL_NAMES.has(name)) continue;
    if (lowest === undefined || compareVersions(version, lowest) < 0) lowest = version;
  }
  return lowest;
}

/**
 * A state that was stored before its names were bounded, as the fold returns it now. Any other is returned unchanged, so that
 * snapshots from before the bound stay as good as they were.
 */
export function withAttributesBounded(
  state: DeviceState,
  bytesMax: number = STATE_RECEIPT_LIMITS.attributeNameBytesMax,
): DeviceState {
  if (state.attributes.size * NAME_BYTES_MAX <= bytesMax) return state;
  const bytes = attributeNamesBytes(state.attributes);
  if (bytes <= bytesMax) return state;
  const bounded = { ...state, attributes: new Map(state.attributes) };
  dropOldestAttributes(bounded, bytes, bytesMax);
  return bounded;
}
