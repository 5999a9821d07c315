import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import { DashboardSite } from '../constructs/dashboard-site.ts';
import type { StageName } from '../stages.ts';

export interface DashboardStackProps extends StackProps {
  readonly api: HttpApi;
  readonly loadBalancer: IApplicationLoadBalancer | undefined;
  readonly stage: StageName;
}

/** The page that people keep open. It can be deployed, and taken down, without touching the pipeline. */
export class DashboardStack extends Stack {
  constructor(scope: Construct, id: string, { api, loadBalancer, stage, ...props }: DashboardStackProps) {
    super(scope, id, props);
    Tags.of(this).add('project', 'twinstream');
    Tags.of(this).add('stage', stage);
    const { distribution } = new DashboardSite(this, 'Dashboard', { api, loadBalancer });
    new CfnOutput(this, 'DashboardUrl', { value: `https://${distribution.distributionDomainName}` });
  }
}
