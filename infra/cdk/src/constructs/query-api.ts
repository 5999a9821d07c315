import { ARCHIVE_PREFIX, QUARANTINE_PREFIX, RESOLVED_PREFIX } from '@twinstream/pipeline-settings';
import {
  ANNOTATION_KINDS,
  CORRECTION_ENDPOINTS,
  CROSS_ORIGIN,
  ENDPOINTS,
  QUARANTINE_ENDPOINTS,
} from '@twinstream/query-api/routes';
import { READ_SCOPE, WRITE_SCOPE } from '@twinstream/query-api/scopes';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  CorsHttpMethod,
  type CorsPreflightOptions,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type HttpRouteIntegration,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
  PayloadFormatVersion,
  VpcLink,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpAlbIntegration, HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Port, SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { ApiAccess } from './api-access.ts';
import { type Archive, acknowledgeObjects } from './archive.ts';
import type { SourceStream } from './event-stream.ts';
import { type DeployedFunction, NodeFunction, type Permission } from './node-function.ts';
import type { PipelineTables } from './pipeline-tables.ts';
import { mappingEnvironment, storePermissions } from './projector.ts';
import { type FleetService, QueryService } from './query-service.ts';

export interface QueryApiProps {
  readonly key: IKey;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly archive: Archive;
  /** Mapping documents of the projector: a redrive decodes with them. */
  readonly mappings: readonly Asset[];
  readonly access: ApiAccess;
  /** The long-lived API that answers for the fleet; undefined where the function does. */
  readonly fleetService: FleetService | undefined;
  /** Paths of the projector's mapping documents. */
  readonly mappingFiles: readonly string[];
  /** Other origins whose pages may read. */
  readonly allowedOrigins: readonly string[];
  readonly keepsData: boolean;
  readonly logDays: RetentionDays;
  readonly aliasName?: string | undefined;
}

/** What the service answers, where there is one: whatever asks for the fleet, or follows the stream. */
const FLEET_PATHS = new Set<string>([
  '/readyz',
  '/v1/devices',
  '/v1/fleet/summary',
  '/v1/fleet/aggregates',
  '/v1/pipeline',
]);
/** An HTTP API holds an answer back until it is whole, and for 30 s at most: streams take the way of the page. */
const STREAM_PATH = '/v1/updates';

const MEMORY_MIB = 1_769;
const HTTP_PORT = 80;
/** An HTTP API gives up after 30 s ("Quotas for HTTP APIs", read 2026-11). */
const TIMEOUT_SECONDS = 29;
const REQUESTS_PER_SECOND_MAX = 500;
const REQUESTS_BURST_MAX = 1_000;

/** The read side over HTTP: one route for each operation that the API describes, with the access that it asks for. */
export class QueryApi extends Construct {
  readonly api: HttpApi;
  readonly reads: DeployedFunction;
  /** The one function that may write to the stream, and what operators say of devices; nothing else. */
  readonly corrections: DeployedFunction;
  /** The one function that may read payloads in quarantine, append what is redriven, and resolve records. */
  readonly quarantine: DeployedFunction;
  readonly service: QueryService | undefined;

  constructor(scope: Construct, id: string, props: QueryApiProps) {
    super(scope, id);
    const common = {
      memoryMiB: MEMORY_MIB,
      timeoutSeconds: TIMEOUT_SECONDS,
      logDays: props.logDays,
      aliasName: props.aliasName,
      environment: {
        TWINSTREAM_STREAM: props.eventStream.stream.streamName,
        TWINSTREAM_EVENTS_TABLE: props.tables.events.tableName,
        TWINSTREAM_DEVICE_STATE_TABLE: props.tables.deviceState.tableName,
        TWINSTREAM_SHARD_PROGRESS_TABLE: props.tables.shardProgress.tableName,
        TWINSTREAM_OPERATIONS_TABLE: props.tables.operations.tableName,
        TWINSTREAM_ARCHIVE_BUCKET: props.archive.bucket.bucketName,
      },
    };
    this.reads = new NodeFunction(this, 'QueryApi', {
      ...common,
      bundle: 'query-api',
      description: 'Answers what devices are doing and what they did.',
      permissions: readPermissions(props),
    });
    this.corrections = new NodeFunction(this, 'Corrections', {
      ...common,
      bundle: 'corrections',
      description: 'Puts corrections of devices on the stream, and keeps what operators say of devices.',
      permissions: correctionPermissions(props),
    });
    this.quarantine = new NodeFunction(this, 'Quarantine', {
      ...common,
      environment: { ...common.environment, ...mappingEnvironment(props.mappings) },
      bundle: 'quarantine',
      description: 'Shows records in quarantine, redrives and discards them.',
      permissions: quarantinePermissions(props),
    });
    for (const mapping of props.mappings) mapping.grantRead(this.quarantine.lambda);
    for (const prefix of [QUARANTINE_PREFIX, RESOLVED_PREFIX])
      acknowledgeObjects(
        this,
        props.archive.bucket,
        prefix,
        'One object a poison record, below this prefix.',
      );
    props.tables.acknowledgeFreshTables(this);
    const { fleetService: service } = props;
    this.service =
      service === undefined
        ? undefined
        : new QueryService(this, 'Service', {
            service,
            environment: {
              ...common.environment,
              ...(props.allowedOrigins.length === 0
                ? {}
                : { TWINSTREAM_ALLOWED_ORIGINS: props.allowedOrigins.join(',') }),
            },
            permissions: readPermissions(props),
            bucketArn: props.archive.bucket.bucketArn,
            mappingFiles: props.mappingFiles,
            keepsData: props.keepsData,
            logDays: props.logDays,
          });
    this.api = new HttpApi(this, 'HttpApi', {
      description: 'Query API of device state and history.',
      createDefaultStage: false,
      ...(props.allowedOrigins.length === 0 ? {} : { corsPreflight: corsPreflight(props.allowedOrigins) }),
    });
    this.addStage(props.logDays);
    this.addRoutes(props.access);
  }

  private fleetIntegration({ vpc, listener }: QueryService): HttpAlbIntegration {
    const group = new SecurityGroup(this, 'LinkGroup', {
      vpc,
      description: 'The API goes to the load balancer of the query tasks.',
      allowAllOutbound: false,
    });
    group.connections.allowTo(listener, Port.tcp(HTTP_PORT), 'Load balancer');
    const vpcLink = new VpcLink(this, 'Link', {
      vpc,
      subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [group],
    });
    return new HttpAlbIntegration('FleetIntegration', listener, { vpcLink });
  }

  private addStage(logDays: RetentionDays): void {
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: REQUESTS_PER_SECOND_MAX, burstLimit: REQUESTS_BURST_MAX },
      detailedMetricsEnabled: true,
      accessLogSettings: { destination: new LogGroupLogDestination(accessLogs) },
    });
  }

  private addRoutes(access: ApiAccess): void {
    const integrationOf = (id: string, { live }: { readonly live: Alias }) =>
      new HttpLambdaIntegration(id, live, { payloadFormatVersion: PayloadFormatVersion.VERSION_2_0 });
    const reads = integrationOf('Integration', this.reads);
    const corrections = integrationOf('CorrectionsIntegration', this.corrections);
    const quarantine = integrationOf('QuarantineIntegration', this.quarantine);
    const integrations = new Map<(typeof ENDPOINTS)[number], HttpRouteIntegration>([
      ...CORRECTION_ENDPOINTS.map((endpoint) => [endpoint, corrections] as const),
      ...QUARANTINE_ENDPOINTS.map((endpoint) => [endpoint, quarantine] as const),
    ]);
    const fleet = this.service === undefined ? reads : this.fleetIntegration(this.service);
    const authorizer = authorizerOf(access);
    for (const endpoint of ENDPOINTS) {
      const { method, path, scope } = endpoint;
      if (path === STREAM_PATH && this.service !== undefined) continue;
      const isOpen = scope === 'open';
      const scopes = [scope === 'write' ? WRITE_SCOPE : READ_SCOPE];
      const routes = this.api.addRoutes({
        path,
        methods: [method === 'get' ? HttpMethod.GET : HttpMethod.POST],
        integration: integrations.get(endpoint) ?? (FLEET_PATHS.has(path) ? fleet : reads),
        authorizer: isOpen ? new HttpNoneAuthorizer() : authorizer,
        ...(access.kind === 'jwt' && !isOpen ? { authorizationScopes: scopes } : {}),
      });
      if (!isOpen) continue;
      for (const route of routes) {
        Validations.of(route).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason: `${path} is open on purpose: it tells that the API lives, or what it offers, and nothing of any device.`,
        });
      }
    }
  }
}

/** The HTTP API answers preflights itself, and sets the headers of answers ("Configure CORS for HTTP APIs", read 2026-12). */
function corsPreflight(origins: readonly string[]): CorsPreflightOptions {
  return {
    allowOrigins: [...origins],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.HEAD],
    allowHeaders: [...CROSS_ORIGIN.requestHeaders],
    exposeHeaders: [...CROSS_ORIGIN.responseHeaders],
    maxAge: Duration.seconds(CROSS_ORIGIN.rememberedSeconds),
  };
}

function authorizerOf(access: ApiAccess): IHttpRouteAuthorizer {
  if (access.kind === 'iam') return new HttpIamAuthorizer();
  return new HttpJwtAuthorizer('Tokens', access.issuer, { jwtAudience: [...access.audience] });
}

function readPermissions({ key, eventStream, tables, archive }: QueryApiProps): Permission[] {
  const { operations, shardProgress } = tables;
  return [
    {
      sid: 'ReadStates',
      actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Scan'],
      resources: tables.deviceStateArns(),
    },
    { sid: 'ReadHistory', actions: ['dynamodb:Query'], resources: tables.eventsArns() },
    {
      sid: 'FollowTablesInUseAndReplays',
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [operations.tableArn],
    },
    { sid: 'ReadShardProgress', actions: ['dynamodb:Query'], resources: [shardProgress.tableArn] },
    {
      sid: 'WatchStream',
      actions: [
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
      ],
      resources: [eventStream.stream.streamArn],
    },
    {
      sid: 'CountQuarantineAndArchive',
      actions: ['s3:ListBucket'],
      resources: [archive.bucket.bucketArn],
      conditions: {
        StringLike: { 's3:prefix': [`${ARCHIVE_PREFIX}*`, `${QUARANTINE_PREFIX}*`] },
      },
    },
    { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
  ];
}

function correctionPermissions({ key, eventStream, tables }: QueryApiProps): Permission[] {
  return [
    { sid: 'PutCorrections', actions: ['kinesis:PutRecords'], resources: [eventStream.stream.streamArn] },
    { sid: 'ReadStates', actions: ['dynamodb:GetItem'], resources: tables.deviceStateArns() },
    { sid: 'ReadHistory', actions: ['dynamodb:Query'], resources: tables.eventsArns() },
    { sid: 'FollowTablesInUse', actions: ['dynamodb:GetItem'], resources: [tables.operations.tableArn] },
    {
      sid: 'KeepAnnotations',
      actions: ['dynamodb:UpdateItem'],
      resources: [tables.operations.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [...ANNOTATION_KINDS] } },
    },
    { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
  ];
}

function quarantinePermissions({ key, tables, archive }: QueryApiProps): Permission[] {
  const { bucket } = archive;
  return [
    ...storePermissions(tables),
    { sid: 'ReadShardProgress', actions: ['dynamodb:Query'], resources: [tables.shardProgress.tableArn] },
    { sid: 'FollowTablesInUse', actions: ['dynamodb:GetItem'], resources: [tables.operations.tableArn] },
    {
      sid: 'ListQuarantine',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': [`${QUARANTINE_PREFIX}*`] } },
    },
    {
      sid: 'ReadAndTakeOutQuarantined',
      actions: ['s3:DeleteObject', 's3:GetObject'],
      resources: [bucket.arnForObjects(`${QUARANTINE_PREFIX}*`)],
    },
    {
      sid: 'KeepResolved',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${RESOLVED_PREFIX}*`)],
    },
    { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
  ];
}
