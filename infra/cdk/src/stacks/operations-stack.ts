import { CfnOutput, Fn, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ReplayTask, type ReplayTaskProps } from '../constructs/replay-task.ts';
import type { StageName } from '../stages.ts';

export interface OperationsStackProps extends StackProps, ReplayTaskProps {
  readonly stage: StageName;
}

/** Where operators start replays on AWS. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, { stage, description, ...props }: OperationsStackProps) {
    super(scope, id, description === undefined ? {} : { description });
    Tags.of(this).add('project', 'twinstream');
    Tags.of(this).add('stage', stage);
    const { cluster, task, vpc, securityGroup, volumeConfigurations } = new ReplayTask(this, 'Replay', props);
    const outputs = {
      Cluster: cluster.clusterName,
      TaskDefinition: task.taskDefinitionArn,
      Subnets: Fn.join(
        ',',
        vpc.publicSubnets.map(({ subnetId }) => subnetId),
      ),
      SecurityGroup: securityGroup.securityGroupId,
      VolumeConfigurations: this.toJsonString(volumeConfigurations),
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
