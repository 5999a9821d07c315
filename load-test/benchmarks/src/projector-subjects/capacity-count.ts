import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What a client's requests consumed while they were counted. */
export interface CapacityCount {
  readonly writeUnits: () => number;
  readonly readUnits: () => number;
  stop(): void;
}

const NAME = 'countCapacity';
const WRITES: ReadonlySet<string> = new Set(['PutItemCommand', 'UpdateItemCommand']);

/** Asks for the consumed capacity of every request of a client, and adds it up: what nobody reports is counted too. */
export function countCapacity(client: DynamoDBClient): CapacityCount {
  let writeUnits = 0;
  let readUnits = 0;
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (call) => {
        const result = await next({ ...call, input: { ...call.input, ReturnConsumedCapacity: 'TOTAL' } });
        const units = unitsOf(result.output);
        if (WRITES.has(commandName)) writeUnits += units;
        else readUnits += units;
        return result;
      },
    { step: 'initialize', name: NAME },
  );
  return {
    writeUnits: () => writeUnits,
    readUnits: () => readUnits,
    stop: () => client.middlewareStack.remove(NAME),
  };
}

/** Throws for an answer without its price, which no figure may pass over. */
function unitsOf(output: object): number {
  const capacity = 'ConsumedCapacity' in output ? output.ConsumedCapacity : undefined;
  if (typeof capacity !== 'object' || capacity === null || !('CapacityUnits' in capacity)) {
    throw new TypeError('an answer does not say what it consumed');
  }
  return Number(capacity.CapacityUnits);
}
