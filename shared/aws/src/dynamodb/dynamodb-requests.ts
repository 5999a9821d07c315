import {
  BatchExecuteStatementCommand,
  type BatchExecuteStatementCommandInput,
  type BatchExecuteStatementCommandOutput,
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  type BatchStatementRequest,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  type GetItemCommandOutput,
  PutItemCommand,
  type PutItemCommandInput,
  type PutItemCommandOutput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  type UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';

export interface RequestOptions {
  readonly abortSignal?: AbortSignal;
}

type Expression =
  | 'TableName'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
  | 'ConditionExpression'
  | 'ReturnConsumedCapacity'
  | 'ReturnValuesOnConditionCheckFailure';

export type GetItemInput = Readonly<Pick<GetItemCommandInput, 'TableName' | 'Key' | 'ConsistentRead'>>;
export type PutItemInput = Readonly<Pick<PutItemCommandInput, Expression | 'Item'>>;
export type UpdateItemInput = Readonly<
  Pick<UpdateItemCommandInput, Expression | 'Key' | 'UpdateExpression' | 'ReturnValues'>
>;
export type BatchGetItemInput = Readonly<Pick<BatchGetItemCommandInput, 'RequestItems'>>;
export interface BatchExecuteStatementInput
  extends Readonly<Pick<BatchExecuteStatementCommandInput, 'ReturnConsumedCapacity'>> {
  readonly Statements: StatementInput[];
}
export type StatementInput = Readonly<
  Pick<BatchStatementRequest, 'Statement' | 'Parameters' | 'ReturnValuesOnConditionCheckFailure'>
>;

/**
 * The requests that writers and readers of single items make by the million. What they return and throw is what the SDK
 * does, whichever way they are sent.
 */
export interface DynamoDbRequests {
  getItem(input: GetItemInput, options?: RequestOptions): Promise<GetItemCommandOutput>;
  putItem(input: PutItemInput, options?: RequestOptions): Promise<PutItemCommandOutput>;
  updateItem(input: UpdateItemInput, options?: RequestOptions): Promise<UpdateItemCommandOutput>;
  batchGetItem(input: BatchGetItemInput, options?: RequestOptions): Promise<BatchGetItemCommandOutput>;
  batchExecuteStatement(
    input: BatchExecuteStatementInput,
    options?: RequestOptions,
  ): Promise<BatchExecuteStatementCommandOutput>;
}

/** The SDK's own way, each time. */
export function sdkRequests(client: DynamoDBClient): DynamoDbRequests {
  return {
    getItem: (input, options) => client.send(new GetItemCommand(input), options),
    putItem: (input, options) => client.send(new PutItemCommand(input), options),
    updateItem: (input, options) => client.send(new UpdateItemCommand(input), options),
    batchGetItem: (input, options) => client.send(new BatchGetItemCommand(input), options),
    batchExecuteStatement: (input, options) => client.send(new BatchExecuteStatementCommand(input), options),
  };
}
