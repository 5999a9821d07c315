import { Annotations, CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { addBudget } from '../constructs/cost-budget.ts';
import { BreakGlassRole, OperatorRole } from '../constructs/operator-role.ts';
import { TwinstreamPipeline } from '../constructs/twinstream-pipeline.ts';
import type { StageConfiguration } from '../stages.ts';
import { pipelineProps } from './pipeline-props.ts';

export interface PipelineStackProps extends StackProps {
  readonly configuration: StageConfiguration;
}

/** The life of an event, from the stream to state, archive and API, and the roles of its operators. */
export class PipelineStack extends Stack {
  readonly pipeline: TwinstreamPipeline;
  readonly operatorRole: OperatorRole;
  readonly breakGlassRole: BreakGlassRole;

  constructor(scope: Construct, id: string, { configuration, ...props }: PipelineStackProps) {
    super(scope, id, { terminationProtection: configuration.keepsData, ...props });
    Tags.of(this).add('project', 'twinstream');
    Tags.of(this).add('stage', configuration.stage);
    // `Default` is left out of logical ids: those of stages that are deployed stay as they are.
    this.pipeline = new TwinstreamPipeline(this, 'Default', pipelineProps(configuration));
    addBudget(this, configuration);
    warnWhereNobodyIsTold(this, configuration);
    const { key, eventStream, tables, archive, projector, archiver } = this.pipeline;
    const operated = {
      key,
      eventStream,
      tables,
      bucket: archive.bucket,
      projector: projector.consumer,
      archiver: archiver.consumer,
    };
    this.operatorRole = new OperatorRole(this, 'Operator', operated);
    this.breakGlassRole = new BreakGlassRole(this, 'BreakGlass', operated);
    this.tellNames();
  }

  /** Outputs: the names by which producers, operators and tools find the pipeline. */
  private tellNames(): void {
    const { eventStream, tables, archive, projector, archiver, queryApi } = this.pipeline;
    const outputs = {
      StreamName: eventStream.stream.streamName,
      EventsTable: tables.events.tableName,
      DeviceStateTable: tables.deviceState.tableName,
      ShardProgressTable: tables.shardProgress.tableName,
      OperationsTable: tables.operations.tableName,
      ArchiveBucket: archive.bucket.bucketName,
      DeliveryStream: archive.deliveryStream.ref,
      ProjectorFunction: projector.consumer.live.functionArn,
      ArchiverFunction: archiver.consumer.live.functionArn,
      ...(queryApi === undefined ? {} : { ApiUrl: queryApi.api.apiEndpoint }),
      BreakGlassRole: this.breakGlassRole.role.roleArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

/** At every deployment: an alarm of a stage that keeps data has to reach somebody. */
function warnWhereNobodyIsTold(stack: Stack, { keepsData, alarmEmail, pageUrl }: StageConfiguration): void {
  if (!keepsData || alarmEmail !== undefined || pageUrl !== undefined) return;
  Annotations.of(stack).addWarningV2(
    'twinstream:nobody-is-told',
    'Alarms of this stage tell nobody: set alarmEmail or pageUrl, or subscribe to its topics.',
  );
}
