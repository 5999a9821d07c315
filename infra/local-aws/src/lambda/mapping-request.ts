import { LAMBDA_DEFAULT_SETTINGS, MAPPING_LIMITS, type MappingSettings } from '@twinstream/pipeline-settings';
import { z } from 'zod';
import { invalidParameter, ok, type Result, refused } from './lambda-error.ts';
import { bucketOf, queueNameOf, streamNameOf } from './lambda-names.ts';
import { checkPatterns, FILTERS_MAX, PATTERN_CHARACTERS_MAX } from './record-filter.ts';

const within = ({ min, max }: { min: number; max: number }) => z.int().min(min).max(max);

/** Fields that both CreateEventSourceMapping and UpdateEventSourceMapping take. */
const CHANGEABLE = {
  BatchSize: within(MAPPING_LIMITS.batchSize).nullish(),
  MaximumBatchingWindowInSeconds: within(MAPPING_LIMITS.batchingWindowSeconds).nullish(),
  ParallelizationFactor: within(MAPPING_LIMITS.parallelizationFactor).nullish(),
  BisectBatchOnFunctionError: z.boolean().nullish(),
  MaximumRetryAttempts: within(MAPPING_LIMITS.retryAttempts).nullish(),
  MaximumRecordAgeInSeconds: z.union([z.literal(-1), within(MAPPING_LIMITS.recordAgeSeconds)]).nullish(),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).max(1).nullish(),
  DestinationConfig: z
    .object({ OnFailure: z.object({ Destination: z.string().nullish() }).nullish() })
    .nullish(),
  FilterCriteria: z
    .object({
      Filters: z
        .array(z.object({ Pattern: z.string().min(1).max(PATTERN_CHARACTERS_MAX) }))
        .max(FILTERS_MAX)
        .nullish(),
    })
    .nullish(),
  Enabled: z.boolean().nullish(),
  FunctionName: z.string().min(1).max(140).nullish(),
};

/** Unsupported settings, refused so that no caller relies on them. */
const UNSUPPORTED = {
  TumblingWindowInSeconds: z.literal(0, 'is not supported by the local emulator').nullish(),
};

const CREATE = z.object({
  ...CHANGEABLE,
  ...UNSUPPORTED,
  FunctionName: z.string().min(1).max(140),
  EventSourceArn: z.string(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']),
  StartingPositionTimestamp: z.number().nullish(),
});
const UPDATE = z.object({ ...CHANGEABLE, ...UNSUPPORTED });

type Changeable = z.infer<typeof UPDATE>;

/** Where given-up batches go: to one of the two, or nowhere. */
export interface FailureTarget {
  readonly failureBucket?: string;
  readonly failureQueue?: string;
}

/** What a request asks of a mapping; absent means unchanged. */
export interface MappingChange {
  readonly functionName?: string;
  readonly enabled?: boolean;
  readonly settings: Partial<MappingSettings>;
  readonly failure?: FailureTarget;
  /** Patterns; none removes the filter. */
  readonly filters?: readonly string[];
}

export interface MappingCreation extends FailureTarget {
  readonly functionName: string;
  readonly streamArn: string;
  readonly streamName: string;
  readonly enabled: boolean;
  readonly settings: MappingSettings;
  readonly filters?: readonly string[];
}

/** Reads the body of CreateEventSourceMapping, with Lambda's defaults for what it leaves out. */
export function mappingCreation(body: unknown): Result<MappingCreation> {
  const parsed = CREATE.safeParse(body);
  if (!parsed.success) return refused(invalidParameter(faultsOf(parsed.error)));
  const { FunctionName, EventSourceArn, StartingPosition, StartingPositionTimestamp } = parsed.data;
  const streamName = streamNameOf(EventSourceArn);
  if (streamName === undefined) {
    return refused(invalidParameter('EventSourceArn: must be the ARN of a Kinesis stream'));
  }
  if ((StartingPosition === 'AT_TIMESTAMP') !== (typeof StartingPositionTimestamp === 'number')) {
    return refused(
      invalidParameter(
        'StartingPositionTimestamp: goes with StartingPosition AT_TIMESTAMP, and with no other',
      ),
    );
  }
  const change = changeOf(parsed.data);
  if (change.kind === 'refused') return change;
  const { settings, failure, filters = [], enabled } = change.value;
  const startingPosition =
    StartingPosition === 'AT_TIMESTAMP'
      ? { type: StartingPosition, timestampMs: (StartingPositionTimestamp ?? 0) * 1_000 }
      : { type: StartingPosition };
  return ok({
    functionName: FunctionName,
    streamArn: EventSourceArn,
    streamName,
    enabled: enabled ?? true,
    settings: { ...LAMBDA_DEFAULT_SETTINGS, ...settings, startingPosition },
    ...failure,
    ...(filters.length === 0 ? {} : { filters }),
  });
}

/** Reads the body of UpdateEventSourceMapping. */
export function mappingChange(body: unknown): Result<MappingChange> {
  const parsed = UPDATE.safeParse(body);
  return parsed.success ? changeOf(parsed.data) : refused(invalidParameter(faultsOf(parsed.error)));
}

function changeOf(fields: Changeable): Result<MappingChange> {
  const failure = failureOf(fields.DestinationConfig?.OnFailure?.Destination);
  if (failure.kind === 'refused') return failure;
  const filters = checkPatterns(fields.FilterCriteria?.Filters?.map(({ Pattern }) => Pattern) ?? []);
  if (filters.kind === 'refused') return filters;
  const windowSeconds = fields.MaximumBatchingWindowInSeconds;
  const settings = given({
    batchSize: fields.BatchSize,
    batchingWindowMs: typeof windowSeconds === 'number' ? windowSeconds * 1_000 : undefined,
    parallelizationFactor: fields.ParallelizationFactor,
    bisectBatchOnFunctionError: fields.BisectBatchOnFunctionError,
    retryAttemptsMax: fields.MaximumRetryAttempts,
    recordAgeSecondsMax: fields.MaximumRecordAgeInSeconds,
    reportBatchItemFailures: fields.FunctionResponseTypes
      ? fields.FunctionResponseTypes.length > 0
      : undefined,
  });
  return ok({
    settings,
    ...given({ functionName: fields.FunctionName, enabled: fields.Enabled }),
    ...given({ failure: failure.value, filters: fields.FilterCriteria ? filters.value : undefined }),
  });
}

/** Undefined where the request leaves the destination as it is; an empty ARN removes it. */
function failureOf(arn: string | null | undefined): Result<FailureTarget | undefined> {
  if (typeof arn !== 'string') return ok(undefined);
  if (arn === '') return ok({});
  const failureBucket = bucketOf(arn);
  if (failureBucket !== undefined) return ok({ failureBucket });
  const failureQueue = queueNameOf(arn);
  if (failureQueue !== undefined) return ok({ failureQueue });
  return refused(
    invalidParameter(
      'DestinationConfig.OnFailure.Destination: must be the ARN of an S3 bucket or of a standard SQS queue here',
    ),
  );
}

/** The fields that hold something. */
function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const kept: { [Name in keyof Fields]?: NonNullable<Fields[Name]> } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && value !== null) kept[name] = value;
  }
  return kept;
}

function faultsOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}
