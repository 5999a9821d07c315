/** What dynalite 4.0.0 serves (its index.js, read 2026-11), and what stands in front of it. */
const SERVED: ReadonlySet<string> = new Set([
  'BatchExecuteStatement',
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
]);

/** What DynamoDB Local has beyond it ("DynamoDB local usage notes", developer guide, read 2026-11), and what it is. */
const IN_DYNAMODB_LOCAL: Readonly<Record<string, string>> = {
  ExecuteStatement: 'PartiQL',
  ExecuteTransaction: 'PartiQL transactions',
  TransactGetItems: 'transactions',
  TransactWriteItems: 'transactions',
  UpdateTimeToLive: 'time to live',
};

/** Why an operation of DynamoDB is refused here, and what has it; undefined for one that is served. */
export function whyUnserved(operation: string): string | undefined {
  if (SERVED.has(operation)) return undefined;
  const what = Object.hasOwn(IN_DYNAMODB_LOCAL, operation) ? IN_DYNAMODB_LOCAL[operation] : undefined;
  if (what === undefined) return `${operation} is not served by dynalite, the embedded DynamoDB engine`;
  return (
    `${operation} is not served by dynalite, the embedded DynamoDB engine, which has no ${what}: ` +
    'DynamoDB Local has, npx twinstream start --dynamodb java'
  );
}
