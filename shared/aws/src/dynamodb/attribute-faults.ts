import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './item-size.ts';

/** An attribute that does not say what it should. Both sides as text, `none` where there is no such attribute. */
export interface AttributeFault {
  readonly attribute: string;
  readonly expected: string;
  readonly found: string;
}

const NONE = 'none';

/**
 * Attributes in which two items differ: one of another value or type, one that is missing, and one that should not be
 * there. Numbers are compared by value and maps in no order, because DynamoDB writes numbers its own way and keeps no order.
 */
export function attributeFaults(
  expected: Readonly<Record<string, AttributeValue | undefined>>,
  found: Item,
  exceptions: readonly string[] = [],
): readonly AttributeFault[] {
  const faults: AttributeFault[] = [];
  for (const attribute of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (exceptions.includes(attribute)) continue;
    const [left, right] = [expected[attribute], found[attribute]].map(valueText);
    if (left !== right) faults.push({ attribute, expected: left ?? NONE, found: right ?? NONE });
  }
  return faults;
}

/** Equal for equal values alone; a text stands as it is, so that a fault is readable. */
function valueText(value: AttributeValue | undefined): string {
  if (value === undefined) return NONE;
  if (value.S !== undefined) return value.S === NONE ? JSON.stringify(value.S) : value.S;
  return comparable(value);
}

function comparable(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return `number ${Number(value.N)}`;
  if (value.L !== undefined) return `[${value.L.map(comparable).join(',')}]`;
  if (value.M !== undefined) {
    const members = Object.entries(value.M).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${comparable(member)}`).join(',')}}`;
  }
  if (value.B !== undefined) return `${value.B.length} bytes ${Buffer.from(value.B).toString('base64')}`;
  return JSON.stringify(value);
}
