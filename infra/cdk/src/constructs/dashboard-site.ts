import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { builtPageFolder } from '@twinstream/dashboard';
import { PAGE_CONTENT_SECURITY_POLICY } from '@twinstream/query-api/content-security-policy';
import { ENDPOINTS } from '@twinstream/query-api/routes';
import { CodedError } from '@twinstream/runtime';
import { Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin, VpcOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { CODE_FOLDER_CONTEXT } from '../code-folders.ts';

export interface DashboardSiteProps {
  readonly api: HttpApi;
  /** Load balancer of the long-lived API, which alone holds update streams open; undefined where there is none. */
  readonly loadBalancer: IApplicationLoadBalancer | undefined;
}

const ONE_YEAR = Duration.days(365);
const LOG_DAYS = 90;
/** What the API answers; everything else is a file of the page. */
const API_PATHS = new Set(ENDPOINTS.map(({ path }) => (path.startsWith('/v1/') ? '/v1/*' : path)));
/** An update stream, which an HTTP API would hold back. */
const STREAM_PATH = '/v1/updates';
/** A stream sends something at least every ten seconds. CloudFront waits for the next packet as long as that. */
const STREAM_SILENCE_SECONDS = 60;
/** Files whose names hold a hash of their content. */
const HASHED_FILES = ['assets/*'];

/** The page behind CloudFront, and the API under the same origin: nothing is allowed across origins. */
export class DashboardSite extends Construct {
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, { api, loadBalancer }: DashboardSiteProps) {
    super(scope, id);
    const bucketDefaults = {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      // Files can be built again from the repository, so that nothing is lost with them.
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    };
    const logs = new Bucket(this, 'Logs', {
      ...bucketDefaults,
      // CloudFront writes its logs with an ACL ("Standard logging", read 2026-11).
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(LOG_DAYS) }],
    });
    const files = new Bucket(this, 'Files', {
      ...bucketDefaults,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      serverAccessLogsBucket: logs,
      serverAccessLogsPrefix: 'files/',
    });
    const apiOrigin = new HttpOrigin(Fn.select(1, Fn.split('://', api.apiEndpoint)), {
      protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
    });
    const headers = this.securityHeaders();
    const apiBehavior = {
      origin: apiOrigin,
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    };
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Twinstream dashboard',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      enableLogging: true,
      logBucket: logs,
      logFilePrefix: 'distribution/',
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(files),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        responseHeadersPolicy: headers,
      },
      additionalBehaviors: {
        ...(loadBalancer === undefined
          ? {}
          : { [STREAM_PATH]: { ...apiBehavior, origin: streamOrigin(loadBalancer) } }),
        ...Object.fromEntries([...API_PATHS].map((path) => [path, apiBehavior])),
      },
    });
    this.deployPage(files);
    this.acknowledge(logs);
    acknowledgeDeploymentFunction(Stack.of(this), files);
  }

  private securityHeaders(): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'Headers', {
      comment: 'The policy that the local server sends, and TLS only.',
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy: PAGE_CONTENT_SECURITY_POLICY, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: {
          accessControlMaxAge: ONE_YEAR,
          includeSubdomains: true,
          override: true,
        },
      },
    });
  }

  /** Hashed files first, which may be kept for ever; then the page that names them. Old ones stay for pages that are open. */
  private deployPage(files: Bucket): void {
    const sources = [Source.asset(pageFolder(this))];
    const target = { sources, destinationBucket: files, prune: false };
    const hashed = new BucketDeployment(this, 'HashedFiles', {
      ...target,
      exclude: ['*'],
      include: HASHED_FILES,
      cacheControl: [CacheControl.maxAge(ONE_YEAR), CacheControl.immutable()],
    });
    const page = new BucketDeployment(this, 'Page', {
      ...target,
      exclude: HASHED_FILES,
      cacheControl: [CacheControl.noCache()],
      distribution: this.distribution,
      distributionPaths: ['/', '/index.html', '/theme.js', '/icon.svg'],
    });
    page.node.addDependency(hashed);
  }

  private acknowledge(logs: Bucket): void {
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds access logs: logging its own accesses into itself would never end.',
    });
    const { distribution } = this;
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR1',
      reason: 'Devices and those who watch them may be in any country.',
    });
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR2',
      reason:
        'Static files, and an API that wants a token, limits its rate and checks every parameter. A web ACL costs more than the stack; add one where policy asks for it.',
    });
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR4',
      reason:
        'The default certificate of CloudFront fixes the minimum itself. A domain of your own brings its certificate, and TLS 1.2 as the minimum with it.',
    });
  }
}

function streamOrigin(loadBalancer: IApplicationLoadBalancer): VpcOrigin {
  return VpcOrigin.withApplicationLoadBalancer(loadBalancer, {
    protocolPolicy: OriginProtocolPolicy.HTTP_ONLY,
    httpPort: 80,
    readTimeout: Duration.seconds(STREAM_SILENCE_SECONDS),
    keepaliveTimeout: Duration.seconds(STREAM_SILENCE_SECONDS),
  });
}

/** CDK's own function copies the files, with rights that CDK writes; there is one in a stack. */
function acknowledgeDeploymentFunction(stack: Stack, files: Bucket): void {
  const deployment = stack.node.children.find(({ node }) =>
    node.id.startsWith('Custom::CDKBucketDeployment'),
  );
  if (deployment === undefined)
    throw new CodedError('NO_DEPLOYMENT', 'CDK names its deployment function otherwise');
  const filesArn = `<${stack.getLogicalId(files.node.defaultChild as CfnBucket)}.Arn>`;
  const findings = [
    'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
    'IAM5[Resource::*]',
    ...['GetBucket', 'GetObject', 'List', 'Abort', 'DeleteObject'].map(
      (action) => `IAM5[Action::s3:${action}*]`,
    ),
    'IAM5[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*]',
    `IAM5[Resource::${filesArn}/*]`,
    'L1',
  ];
  for (const finding of findings) {
    Validations.of(deployment).acknowledge({
      id: `AwsSolutions-${finding}`,
      reason:
        'Function, runtime and rights are those of CDK itself. It runs at deployment alone, and reaches public files and their bucket, no data of devices.',
    });
  }
}

/** The built page. Throws `PAGE_MISSING` where it was not built. */
function pageFolder(scope: Construct): string {
  const given: unknown = scope.node.tryGetContext(CODE_FOLDER_CONTEXT);
  const folder = typeof given === 'string' ? given : fileURLToPath(builtPageFolder);
  if (existsSync(folder)) return folder;
  throw new CodedError(
    'PAGE_MISSING',
    'the page is not built yet: npx turbo run build --filter=@twinstream/dashboard',
  );
}
