import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { CodedError } from '@twinstream/runtime';
import type { ClientOptions } from './deployed-pipeline.ts';

/** What holds data, a position in a stream, or an address that others use. */
const STATEFUL_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::DynamoDB::Table',
  'AWS::Events::EventBus',
  'AWS::IoT::TopicRule',
  'AWS::KMS::Key',
  'AWS::Kinesis::Stream',
  'AWS::KinesisFirehose::DeliveryStream',
  'AWS::Lambda::EventSourceMapping',
  'AWS::S3::Bucket',
  'AWS::SNS::Topic',
]);

/** Physical ids of the stateful resources of a deployed stack, by logical id. */
export async function statefulResources(
  stack: string,
  options: ClientOptions,
): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient(options);
  const found = new Map<string, string>();
  for await (const { StackResourceSummaries = [] } of paginateListStackResources(
    { client },
    { StackName: stack },
  )) {
    for (const {
      ResourceType = '',
      LogicalResourceId = '',
      PhysicalResourceId = '',
    } of StackResourceSummaries) {
      if (STATEFUL_TYPES.has(ResourceType)) found.set(LogicalResourceId, PhysicalResourceId);
    }
  }
  client.destroy();
  return found;
}

/** Throws `DEPLOY_CHECK_FAILED` where a deployment has replaced or removed what holds state. */
export function requireKept(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const lost = [...before].filter(([logicalId, id]) => after.get(logicalId) !== id);
  if (before.size === 0)
    throw new CodedError('DEPLOY_CHECK_FAILED', 'the stack tells of nothing that holds state');
  if (lost.length === 0) return;
  const told = lost.map(
    ([logicalId, id]) => `${logicalId}: ${id} became ${after.get(logicalId) ?? 'nothing'}`,
  );
  throw new CodedError('DEPLOY_CHECK_FAILED', `replaced by the deployment:\n  ${told.join('\n  ')}`);
}
