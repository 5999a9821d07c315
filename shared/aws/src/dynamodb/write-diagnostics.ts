import { channel } from 'node:diagnostics_channel';
import type { ItemClient } from './item-client.ts';
import type { Item } from './item-size.ts';

/** Name of the diagnostics channel of all writes of items in this process. */
export const WRITES_CHANNEL = 'twinstream:dynamodb:write';

/** A message of that channel: a write that has its outcome. */
export interface WriteDiagnostic {
  readonly operation: 'insert' | 'advance';
  readonly tableName: string;
  /** Holds the key at least. */
  readonly item: Item;
  readonly outcome: 'inserted' | 'exists' | 'advanced' | 'not-below';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
}

const writes = channel(WRITES_CHANNEL);
const now = () => performance.timeOrigin + performance.now();

/** The same client, whose writes are published where somebody listens; otherwise a write costs one comparison more. */
export function publishedWrites(items: ItemClient): ItemClient {
  const told = async <
    Outcome extends WriteDiagnostic['outcome'],
    Result extends { readonly outcome: Outcome },
  >(
    write: Pick<WriteDiagnostic, 'operation' | 'tableName' | 'item'>,
    result: Promise<Result>,
  ): Promise<Result> => {
    const startMs = now();
    const { outcome } = await result;
    writes.publish({ ...write, outcome, startMs, endMs: now() } satisfies WriteDiagnostic);
    return result;
  };
  return {
    get: items.get,
    insert: (request, signal) => {
      const result = items.insert(request, signal);
      if (!writes.hasSubscribers) return result;
      return told({ operation: 'insert', tableName: request.tableName, item: request.item }, result);
    },
    advance: (request, signal) => {
      const result = items.advance(request, signal);
      if (!writes.hasSubscribers) return result;
      return told({ operation: 'advance', tableName: request.tableName, item: request.key }, result);
    },
  };
}
