import { App, Stack } from 'aws-cdk-lib';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IStream, Stream } from 'aws-cdk-lib/aws-kinesis';
import { Key } from 'aws-cdk-lib/aws-kms';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CODE_FOLDER_CONTEXT } from '../src/code-folders.ts';
import type { TwinstreamTables } from '../src/constructs/pipeline-tables.ts';
import { CODE_FOLDER } from './templates.ts';

/** An app of somebody else with a stack of its own. */
export function foreignStack(): Stack {
  const app = new App({
    builtinCloudFormationValidation: false,
    context: { [CODE_FOLDER_CONTEXT]: CODE_FOLDER },
  });
  return new Stack(app, 'Foreign', { env: { account: '123456789012', region: 'eu-west-1' } });
}

/** A stream of another app, with a key of its own. */
export function theirStream(stack: Stack): IStream {
  const encryptionKey = Key.fromKeyArn(stack, 'TheirKey', 'arn:aws:kms:eu-west-1:123456789012:key/theirs');
  return Stream.fromStreamAttributes(stack, 'TheirStream', {
    streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs',
    encryptionKey,
  });
}

export function theirTables(stack: Stack): TwinstreamTables {
  const table = (name: string) => Table.fromTableName(stack, name, name);
  return {
    events: table('their-events'),
    deviceState: table('their-states'),
    shardProgress: table('their-progress'),
    operations: table('their-operations'),
  };
}

/** What the rules of AWS Solutions find in a stack. */
export const findings = (stack: Stack): string[] =>
  new AwsSolutionsChecks(stack)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources = [] }) =>
      violatingResources.map((one) => `${ruleName}: ${JSON.stringify(one)}`),
    );
