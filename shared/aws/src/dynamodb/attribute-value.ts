import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { CodedError } from '@twinstream/runtime';
import type { Item } from './item-size.ts';

export function textValue(text: string): AttributeValue {
  return { S: text };
}

/** Doubles print in at most 17 digits, and a DynamoDB number holds 38: none is rounded. */
export function numberValue(value: number): AttributeValue {
  return { N: String(value) };
}

export function readText(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

export function readNumber(item: Item, name: string): number | undefined {
  const text = item[name]?.N;
  return text === undefined ? undefined : Number(text);
}

/** Throws `DAMAGED_ITEM` where the item lacks this text. */
export function requireText(item: Item, name: string): string {
  return readText(item, name) ?? missing(name);
}

/** Throws `DAMAGED_ITEM` where the item lacks this number. */
export function requireNumber(item: Item, name: string): number {
  return readNumber(item, name) ?? missing(name);
}

function missing(name: string): never {
  throw new CodedError('DAMAGED_ITEM', `the item's attribute ${name} is missing or has another type`);
}
