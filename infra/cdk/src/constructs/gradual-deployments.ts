import { Validations } from 'aws-cdk-lib';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { serviceOfAccount } from './node-function.ts';

/** Adds itself: it is the policy of every group for Lambda that CDK makes. */
const MANAGED_POLICY = 'service-role/AWSCodeDeployRoleForLambdaLimited';

/**
 * Lets new versions of functions take over step by step: a tenth of the invocations for ten minutes, then all. An alarm of the function
 * stops that, the alias goes back to the version before, and the deployment of the stack fails and is rolled back. Where such an alarm is on already,
 * no deployment begins.
 */
export class GradualDeployments extends Construct {
  constructor(scope: Construct, id: string, { deployments }: Pick<Alarms, 'deployments'>) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application');
    const role = new Role(this, 'Role', { assumedBy: serviceOfAccount(this, 'codedeploy.amazonaws.com') });
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${MANAGED_POLICY}]`,
      reason:
        'The policy that CodeDeploy documents for this role: it moves aliases, and reads alarms and revisions of deployments.',
    });
    for (const { name, deployed, alarms } of deployments) {
      new LambdaDeploymentGroup(this, name, {
        application,
        role,
        alias: deployed.live,
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_10MINUTES,
        alarms: [...alarms],
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
      });
    }
  }
}
