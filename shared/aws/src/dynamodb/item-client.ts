import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './item-size.ts';

/** Attributes of an item by name; undefined where it must have none of that name. */
export type ItemAttributes = Readonly<Record<string, AttributeValue | undefined>>;

/** Names of the attributes that are a table's key. */
export type KeyNames = readonly [partitionKey: string, sortKey?: string];

export interface GetRequest {
  readonly tableName: string;
  readonly key: Item;
  /** Default: true. */
  readonly consistent?: boolean;
}

export interface InsertRequest {
  readonly tableName: string;
  readonly keyNames: KeyNames;
  readonly item: Item;
  /** `itemBytes` of the item, where it is known. */
  readonly itemBytes?: number;
}

export type InsertResult =
  | { readonly outcome: 'inserted'; readonly writeUnits?: number }
  /** The key is taken. `existing` is the item that stands there, where the engine told: read it otherwise. */
  | { readonly outcome: 'exists'; readonly existing?: Item };

export interface AdvanceRequest {
  readonly tableName: string;
  readonly key: Item;
  /** The attributes that are set, and those that are removed. Others of the item stay as they are. */
  readonly attributes: ItemAttributes;
  /** The number among the attributes that must rise: an item where it is not below the new one stays as it is. */
  readonly risingAttribute: string;
  /** True where the item is expected not to be there yet. It decides what is tried first, and nothing else. */
  readonly isFirst?: boolean;
}

export type AdvanceResult =
  | { readonly outcome: 'advanced'; readonly writeUnits?: number }
  | { readonly outcome: 'not-below' };

/**
 * Reads and conditional writes of single items. Each call resolves with its own outcome, however many share a request.
 *
 * Rejects with `DYNAMODB_THROTTLED`, `DYNAMODB_UNAVAILABLE` or `DYNAMODB_REFUSED` (see `dynamoDbRequest`), and with the
 * signal's reason when aborted. A write that fails without an answer, or is aborted under way, may have happened.
 */
export interface ItemClient {
  get(request: GetRequest, signal?: AbortSignal): Promise<Item | undefined>;
  /** Creates an item where its key is free. */
  insert(request: InsertRequest, signal?: AbortSignal): Promise<InsertResult>;
  /** Creates an item, or changes one whose rising attribute is missing or below the new one. */
  advance(request: AdvanceRequest, signal?: AbortSignal): Promise<AdvanceResult>;
}
