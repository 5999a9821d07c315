import { LAMBDA_FLEET_DEVICES_MAX, SERVICE_FLEET_DEVICES_MAX, serviceMemoryMiB } from '@twinstream/capacity';
import {
  iotSqlOf,
  MAPPING_LIMITS,
  type MappingSettings,
  PROJECT_MAPPING_SETTINGS,
} from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import type { ApiAccess } from './constructs/api-access.ts';
import type { StreamCapacity } from './constructs/event-stream.ts';
import type { IotRule } from './constructs/iot-ingestion.ts';
import type { FleetService } from './constructs/query-service.ts';
import type { TableCapacity } from './constructs/state-tables.ts';
import { type StageCapacity, stageCapacity, WORKLOAD_CONTEXT } from './stage-workload.ts';

/** How much a stage keeps and how it is sized. A stage of its own is made by adding it here. */
const STAGES = {
  /** To try things: everything goes away with the stack. */
  dev: {
    keepsData: false,
    logDays: 7,
    archiveBufferSeconds: 60,
    iteratorAgeMinutesMax: 15,
    rollout: 'immediate',
  },
  /** Stream, tables, bucket and key outlive the stack, and none of them is deleted by mistake. */
  prod: {
    keepsData: true,
    logDays: 90,
    archiveBufferSeconds: 300,
    iteratorAgeMinutesMax: 5,
    rollout: 'canary',
  },
} as const;

export type StageName = keyof typeof STAGES;
const STAGE_NAMES = Object.keys(STAGES) as [StageName, ...StageName[]];

const SHARDS_MAX = 20_000;
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** What may be set in the file of a stage, or with `-c name=value` at `cdk deploy`. */
export const CONTEXT = z.object({
  ...WORKLOAD_CONTEXT,
  stage: z.enum(STAGE_NAMES, `one of ${STAGE_NAMES.join(', ')}`).default('dev'),
  /** Provisioned shards; where absent those of the workload, or on demand. */
  shards: z.coerce
    .number('a number of shards')
    .int('whole')
    .min(1, 'from 1')
    .max(SHARDS_MAX, `to ${SHARDS_MAX}`)
    .optional(),
  /** Longest wait of the projector's mapping for a fuller batch: a longer one makes state older, and writes fewer pages. */
  windowSeconds: z.coerce
    .number('a number of seconds')
    .int('whole seconds')
    .min(MAPPING_LIMITS.batchingWindowSeconds.min, 'from 0')
    .max(MAPPING_LIMITS.batchingWindowSeconds.max, `to ${MAPPING_LIMITS.batchingWindowSeconds.max}`)
    .optional(),
  /** Where mappings begin that are made again; at the oldest record of the stream where absent. */
  startAt: z.iso.datetime({ offset: true, error: 'a time such as 2026-11-30T10:00:00Z' }).optional(),
  /** How a new version of a function takes over. `immediate` is also the way out while an alarm that stops deployments is on. */
  rollout: z.enum(['canary', 'immediate'], 'canary or immediate').optional(),
  /** Issuer of the tokens that the API takes; IAM signatures where absent. */
  jwtIssuer: z.url({ protocol: /^https?$/, error: 'the URL of an OpenID provider' }).optional(),
  jwtAudience: z.string().min(1, 'client ids, with commas between').optional(),
  /** Other origins whose pages may read, as a browser writes them. */
  allowedOrigins: z
    .string()
    .regex(
      /^https?:\/\/[^\s,/]+(?:,https?:\/\/[^\s,/]+)*$/,
      'origins such as https://grafana.example, with commas between',
    )
    .optional(),
  /** What answers for the fleet: a function, up to 190,000 devices, or a service that lives on and tells of changes. */
  fleetApi: z.enum(['lambda', 'service'], 'lambda or service').default('lambda'),
  /** Gets a mail when an alarm goes off. */
  alarmEmail: z.email('a mail address').optional(),
  /** Is called for alarms that need somebody now: the address of a paging service that takes messages of SNS. */
  pageUrl: z.url({ protocol: /^https$/, error: 'an https URL' }).optional(),
  /** Whether devices may publish through AWS IoT Core. */
  iot: flag.default(false),
  /** Topics of which a message is one record, an MQTT topic filter. */
  iotTopic: z
    .string()
    .regex(/^[^'\s]{1,256}$/, 'a topic filter, without spaces and quotes')
    .default('twinstream/+/events'),
  /** SQL of the IoT rule in place of the one that is made for the topics. */
  iotSql: z
    .string()
    .min(1)
    .max(256 * 1_024)
    .optional(),
  /** Mapping documents of the projector, files, separated by commas. */
  mapping: z.string().min(1, 'files, with commas between').optional(),
  /** Whether changes of status go to an event bus. */
  statusEvents: flag.default(false),
  /** Whether a device of the stage's own reports every minute, and the age of its state is watched. */
  canaryDevice: flag.default(false),
  /** Name of the fresh tables that a promotion has put into use, as `replay start --name` had it. */
  generation: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,200}$/, 'the --name of a replay')
    .optional(),
  /** Stream of the device-state table of that generation. */
  stateStreamArn: z
    .string()
    .regex(/^arn:[^:]+:dynamodb:[^:]+:\d{12}:table\/[^/]+\/stream\/.+$/, 'the ARN of a stream of a table')
    .optional(),
  /** How requests to the tables of events and states are paid: each, or by the capacity that auto scaling provisions. */
  tableBilling: z.enum(['on-demand', 'provisioned'], 'on-demand or provisioned').default('on-demand'),
  /** Most write units a second of each of the two on demand: what bounds their cost. */
  tableWriteUnitsMax: z.coerce
    .number('a number of write units a second')
    .int('whole')
    .min(1, 'from 1')
    .optional(),
  /** Whether the two are ready for the planned load from the first day. It is paid once, and cannot be lowered. */
  warmTables: flag.default(false),
  /** Class of the table of events: infrequent access stores for less, and writes for more. */
  eventsTableClass: z
    .enum(['standard', 'infrequent-access'], 'standard or infrequent-access')
    .default('standard'),
  /** US dollars a month of the whole account of which mails tell the operators. */
  monthlyBudgetUsd: z.coerce.number('US dollars').positive('above 0').optional(),
  /** Disk of an operator's task. ECS takes up to 16 TiB (`TaskManagedEBSVolumeConfiguration`, API reference, read 2026-12). */
  operatorDiskGib: z.coerce
    .number('a number of GiB')
    .int('whole GiB')
    .min(1, 'from 1')
    .max(16_384, 'to 16384')
    .default(100),
});

/** Everything in which one deployment differs from another. */
export interface StageConfiguration {
  readonly stage: StageName;
  /** Whether data outlives the stack, and deletion is refused. */
  readonly keepsData: boolean;
  readonly logDays: 7 | 90;
  /** Longest time that Firehose gathers an object of the archive. */
  readonly archiveBufferSeconds: number;
  /** Maximum lag of a consumer before its alarm starts. */
  readonly iteratorAgeMinutesMax: number;
  readonly streamCapacity: StreamCapacity;
  readonly tableCapacity: TableCapacity;
  readonly eventsTableClass: 'standard' | 'infrequent-access';
  readonly monthlyBudgetUsd: number | undefined;
  /** What the stage takes from the plan of its workload; undefined where none is stated. */
  readonly capacity: StageCapacity | undefined;
  /** Settings of the projector's mapping: the archiver's, but for a window that is asked for. */
  readonly projectorMapping: MappingSettings;
  /** Settings of the archiver's mapping: the project's, but for a start that is asked for. */
  readonly archiverMapping: MappingSettings;
  /** Whether new versions take a tenth of the invocations first, and go back when an alarm goes off, or all of them immediately. */
  readonly rollout: 'canary' | 'immediate';
  readonly access: ApiAccess;
  /** What answers for the fleet beside the function that answers for single devices; undefined where the function does that, too. */
  readonly fleetService: FleetService | undefined;
  /** Other origins whose pages may read. */
  readonly allowedOrigins: readonly string[];
  readonly alarmEmail: string | undefined;
  readonly pageUrl: string | undefined;
  readonly hasIotIngestion: boolean;
  readonly iotRule: IotRule;
  /** Paths of mapping documents. */
  readonly mappingFiles: readonly string[];
  readonly hasStatusEvents: boolean;
  readonly hasCanaryDevice: boolean;
  /** Name of the fresh tables in use; undefined before any promotion. */
  readonly generation: string | undefined;
  /** Stream of the device-state table in use; undefined before any promotion. */
  readonly stateStreamArn: string | undefined;
  /** Disk of an operator's task. */
  readonly operatorDiskGib: number;
}

/**
 * Reads a stage from the context of the app. Throws `INVALID_CONFIGURATION` with all faults together.
 *
 * @param read value of a context variable, undefined where it is not set
 */
export function stageConfiguration(read: (name: string) => unknown): StageConfiguration {
  const given = Object.keys(CONTEXT.shape).map((name) => [name, read(name)] as const);
  const result = CONTEXT.safeParse(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  if (!result.success) {
    throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  const { stage, shards, jwtIssuer, jwtAudience, alarmEmail, iot, statusEvents } = result.data;
  const { iotTopic, iotSql, mapping } = result.data;
  const { generation, stateStreamArn } = result.data;
  if (statusEvents && (generation === undefined) !== (stateStreamArn === undefined)) {
    throw invalid(['generation, stateStreamArn: status events follow a promotion by both']);
  }
  const capacity = plannedCapacity(result.data);
  if (result.data.monthlyBudgetUsd !== undefined && alarmEmail === undefined) {
    throw invalid(['monthlyBudgetUsd: tells nobody without alarmEmail']);
  }
  const access = apiAccess(jwtIssuer, jwtAudience);
  const windowSeconds = result.data.windowSeconds ?? capacity?.windowSeconds;
  const archiverMapping = mappingFrom(result.data.startAt);
  return Object.freeze({
    stage,
    ...STAGES[stage],
    iteratorAgeMinutesMax: Math.max(
      STAGES[stage].iteratorAgeMinutesMax,
      capacity?.iteratorAgeMinutesMin ?? 0,
    ),
    streamCapacity: streamCapacity(shards ?? capacity?.shardCount),
    tableCapacity: tableCapacity(result.data, capacity),
    eventsTableClass: result.data.eventsTableClass,
    monthlyBudgetUsd: result.data.monthlyBudgetUsd,
    capacity,
    archiverMapping,
    projectorMapping: {
      ...archiverMapping,
      ...(windowSeconds === undefined ? {} : { batchingWindowMs: windowSeconds * 1_000 }),
    },
    rollout: result.data.rollout ?? STAGES[stage].rollout,
    access,
    fleetService: fleetService(result.data.fleetApi, access, capacity?.deviceCount),
    allowedOrigins: result.data.allowedOrigins?.split(',') ?? [],
    alarmEmail,
    pageUrl: result.data.pageUrl,
    hasIotIngestion: iot,
    iotRule: { topicFilter: iotTopic, sql: iotSql ?? iotSqlOf(iotTopic, mapping !== undefined) },
    mappingFiles: (mapping ?? '')
      .split(',')
      .map((file) => file.trim())
      .filter((file) => file !== ''),
    hasStatusEvents: statusEvents,
    hasCanaryDevice: result.data.canaryDevice,
    generation,
    stateStreamArn,
    operatorDiskGib: result.data.operatorDiskGib,
  });
}

function plannedCapacity(context: z.infer<typeof CONTEXT>): StageCapacity | undefined {
  const { devices, eventsPerSecond, eventBytes, latencyBudgetSeconds, aggregated } = context;
  const workload = { devices, eventsPerSecond, eventBytes, latencyBudgetSeconds, aggregated };
  const planned = stageCapacity(workload, {
    windowSeconds: context.windowSeconds,
    hasFleetService: context.fleetApi === 'service',
  });
  if (planned !== undefined && 'faults' in planned) throw invalid(planned.faults);
  if (planned !== undefined && planned.shardCount > SHARDS_MAX) {
    throw invalid([`devices: need ${planned.shardCount} shards, and ${SHARDS_MAX} are the most`]);
  }
  return planned;
}

function mappingFrom(startAt: string | undefined): MappingSettings {
  if (startAt === undefined) return PROJECT_MAPPING_SETTINGS;
  const startingPosition = { type: 'AT_TIMESTAMP' as const, timestampMs: Date.parse(startAt) };
  return { ...PROJECT_MAPPING_SETTINGS, startingPosition };
}

function streamCapacity(shardCount: number | undefined): StreamCapacity {
  return shardCount === undefined ? { mode: 'on-demand' } : { mode: 'provisioned', shardCount };
}

/** Pages and states take half of the write units each. */
const TABLES_WRITTEN = 2;
/** Share of a capacity that the mean rate uses, so that peaks fit: of shards as of tables. */
const MEAN_USE = 0.6;
/** Auto scaling goes down to a quarter of the planned peak at night, and up to twice of it. */
const SCALING = { min: 0.25, max: 2 } as const;
/** What every new table on demand takes ("DynamoDB on-demand capacity mode", read 2026-12). */
const WARM_WRITE_UNITS_MIN = 4_000;

function tableCapacity(
  { tableBilling, tableWriteUnitsMax, warmTables }: z.infer<typeof CONTEXT>,
  capacity: StageCapacity | undefined,
): TableCapacity {
  if (capacity === undefined && (warmTables || tableBilling === 'provisioned')) {
    throw invalid(['tableBilling, warmTables: need a workload, which sizes the tables']);
  }
  const peak = (capacity?.writeUnitsPerSecond ?? 0) / TABLES_WRITTEN / MEAN_USE;
  if (tableBilling === 'on-demand') {
    return {
      mode: 'on-demand',
      writeUnitsMax: tableWriteUnitsMax,
      warmWriteUnits: warmTables ? Math.max(WARM_WRITE_UNITS_MIN, Math.ceil(peak)) : undefined,
    };
  }
  if (warmTables || tableWriteUnitsMax !== undefined) {
    throw invalid(['warmTables, tableWriteUnitsMax: are of tables on demand']);
  }
  return {
    mode: 'provisioned',
    writeUnitsMin: Math.max(1, Math.ceil(peak * SCALING.min)),
    writeUnitsMax: Math.max(1, Math.ceil(peak * SCALING.max)),
  };
}

function apiAccess(issuer: string | undefined, audience: string | undefined): ApiAccess {
  if (issuer === undefined && audience === undefined) return { kind: 'iam' };
  if (issuer === undefined) throw invalid(['jwtIssuer: is missing beside jwtAudience']);
  if (audience === undefined) throw invalid(['jwtAudience: is missing beside jwtIssuer']);
  return { kind: 'jwt', issuer, audience: audience.split(',').map((id) => id.trim()) };
}

/** Devices that a service is made for where the stage states none. */
const SERVICE_DEVICES = 1_000_000;

function fleetService(
  fleetApi: 'lambda' | 'service',
  access: ApiAccess,
  devices: number | undefined,
): FleetService | undefined {
  if (fleetApi === 'lambda') {
    if (devices === undefined || devices <= LAMBDA_FLEET_DEVICES_MAX) return undefined;
    throw invalid([
      `fleetApi: a function reads the states of ${LAMBDA_FLEET_DEVICES_MAX} devices before its time is over, and the stage has ${devices}: set it to service, with jwtIssuer and jwtAudience`,
    ]);
  }
  if (access.kind !== 'jwt') {
    throw invalid(['fleetApi: a service checks the tokens of callers itself: set jwtIssuer and jwtAudience']);
  }
  const deviceCount = devices ?? SERVICE_DEVICES;
  if (deviceCount > SERVICE_FLEET_DEVICES_MAX) {
    throw invalid([
      `fleetApi: a service holds ${SERVICE_FLEET_DEVICES_MAX} devices, and the stage has ${deviceCount}: deploy a stage for each part of the fleet`,
    ]);
  }
  return { access, deviceCount, memoryMiB: serviceMemoryMiB(deviceCount) };
}

function invalid(faults: readonly string[]): CodedError {
  return new CodedError('INVALID_CONFIGURATION', `context is invalid\n  ${faults.join('\n  ')}`);
}
