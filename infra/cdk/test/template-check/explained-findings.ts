/** What a scanner says about one resource of a template. */
export interface Finding {
  readonly check: string;
  /** Logical id. */
  readonly resource: string;
  readonly file: string;
  readonly message: string;
}

/** Why a check does not apply to resources. */
export interface Explanation {
  readonly check: string;
  /** Logical ids, without a hash at the end. */
  readonly resources: RegExp;
  readonly reason: string;
}

const ALL = /./;
const FUNCTIONS_OF_CDK = /^CustomCDKBucketDeployment|^CustomS3AutoDeleteObjects/;

/** The findings of cfn-lint and checkov that stay. What cdk-nag finds is explained beside the resource itself. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    check: 'W3005',
    resources: ALL,
    reason: 'CDK names the dependency of a function on its role although the reference implies it.',
  },
  {
    check: 'CKV_AWS_18',
    resources: /^(ArchiveAccessLogs|DashboardLogs)/,
    reason: 'It holds access logs: logging its own accesses into itself would never end.',
  },
  {
    check: 'CKV_AWS_21',
    resources: /^(ArchiveAccessLogs|DashboardLogs)/,
    reason: 'Logs are written once, under names that do not repeat, and expire after 90 days.',
  },
  {
    check: 'CKV_AWS_21',
    resources: /^DashboardFiles/,
    reason: 'Files are built from the repository, and can be built again from any commit of it.',
  },
  {
    check: 'CKV_AWS_68',
    resources: /^DashboardDistribution/,
    reason:
      'Static files, and an API that wants a token, limits its rate and checks every parameter. A web ACL costs more than the stack; add one where policy asks for it.',
  },
  {
    check: 'CKV_AWS_174',
    resources: /^DashboardDistribution/,
    reason:
      'The default certificate of CloudFront fixes the minimum itself. A domain of your own brings its certificate, and TLS 1.2 as the minimum with it.',
  },
  {
    check: 'CKV_AWS_2',
    resources: /^ApiServiceBalancerHttp/,
    reason:
      'An internal balancer without a public address: the HTTP API reaches it through its link into the VPC, and TLS ends at the API. A certificate would need a domain of your own.',
  },
  {
    check: 'CKV_AWS_103',
    resources: /^ApiServiceBalancerHttp/,
    reason: 'As CKV_AWS_2: there is no TLS of which a version could be too old.',
  },
  {
    check: 'CKV_AWS_91',
    resources: /^ApiServiceBalancer/,
    reason: 'CloudFront and the HTTP API, by which alone it is reached, log each request.',
  },
  {
    check: 'CKV_AWS_111',
    resources: FUNCTIONS_OF_CDK,
    reason: 'The role of a function of CDK itself, which runs at deployments and reaches public files alone.',
  },
  {
    check: 'CKV_AWS_115',
    resources: /^(Projector|Archiver)/,
    reason:
      'Reserved where the workload of the stage is stated, for twice the shards. Without a workload a number would be a guess that throttles.',
  },
  {
    check: 'CKV_AWS_115',
    resources: /^(ApiQueryApi|ApiCorrections|ApiQuarantine|CanaryDevice|StatusEvents)/,
    reason:
      'Bounded by their callers: the stage of the API limits requests a second, a mapping runs one invocation a shard, a schedule one a minute. What is reserved would be missing elsewhere in the account.',
  },
  {
    check: 'CKV_AWS_115',
    resources: FUNCTIONS_OF_CDK,
    reason: 'A deployment invokes it, once at a time.',
  },
  {
    check: 'CKV_AWS_116',
    resources: /^(?!CanaryDevice)/,
    reason:
      'A dead-letter queue takes asynchronous invocations, of which there are none: mappings have a destination for what they give up, and the API and CloudFormation wait for their answer.',
  },
  {
    check: 'CKV_AWS_116',
    resources: /^CanaryDevice/,
    reason: 'A report that is not made is what its alarm is for; the next comes within the minute.',
  },
  {
    check: 'CKV_AWS_117',
    resources: ALL,
    reason:
      'Everything that it calls is an AWS API with TLS and IAM. A VPC would add endpoints or NAT gateways that can fail, and protect nothing that is inside one.',
  },
  {
    check: 'CKV_AWS_158',
    resources: ALL,
    reason:
      'CloudWatch Logs encrypts with a key of its own. Logs hold ids, counts and errors, no attributes of devices; and they must be written when the key of the data is the incident.',
  },
  {
    check: 'CKV_AWS_173',
    resources: ALL,
    reason: 'Variables are names of resources and limits, no secrets. Lambda encrypts them with its own key.',
  },
];

export interface Judgement {
  readonly unexplained: readonly Finding[];
  /** Explanations of nothing that was found: what they excused is mended or gone. */
  readonly stale: readonly Explanation[];
}

/** Parts findings from their explanations. */
export function judge(findings: readonly Finding[], explanations = EXPLANATIONS): Judgement {
  const explains = ({ check, resources }: Explanation, finding: Finding): boolean =>
    finding.check === check && resources.test(finding.resource);
  return {
    unexplained: findings.filter((finding) => !explanations.some((one) => explains(one, finding))),
    stale: explanations.filter((one) => !findings.some((finding) => explains(one, finding))),
  };
}
