import type { EventSourceMapping } from './event-source-mapping.ts';
import { type Account, bucketArn, functionArn, mappingArn, queueArn } from './lambda-names.ts';
import type { MappingDefinition } from './mapping-definition.ts';

/** A mapping as the Lambda API shows it: EventSourceMappingConfiguration, field for field as recorded against AWS. */
export function mappingConfiguration(mapping: EventSourceMapping, account: Account): Record<string, unknown> {
  const { definition, state, metrics } = mapping;
  const { settings } = definition;
  const { startingPosition } = settings;
  return {
    UUID: definition.mappingId,
    EventSourceMappingArn: mappingArn(account, definition.mappingId),
    EventSourceArn: definition.streamArn,
    FunctionArn: functionArn(account, definition.functionName),
    State: state,
    StateTransitionReason: 'User action',
    LastModified: definition.lastModifiedMs / 1_000,
    LastProcessingResult: metrics.lastProcessingResult(),
    StartingPosition: startingPosition.type,
    ...(startingPosition.type === 'AT_TIMESTAMP'
      ? { StartingPositionTimestamp: startingPosition.timestampMs / 1_000 }
      : {}),
    BatchSize: settings.batchSize,
    // The API knows whole seconds; a shorter local window shows as 0.
    MaximumBatchingWindowInSeconds: Math.floor(settings.batchingWindowMs / 1_000),
    ParallelizationFactor: settings.parallelizationFactor,
    BisectBatchOnFunctionError: settings.bisectBatchOnFunctionError,
    MaximumRetryAttempts: settings.retryAttemptsMax,
    MaximumRecordAgeInSeconds: settings.recordAgeSecondsMax,
    TumblingWindowInSeconds: 0,
    FunctionResponseTypes: settings.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    ...(definition.filters === undefined
      ? {}
      : { FilterCriteria: { Filters: definition.filters.map((Pattern) => ({ Pattern })) } }),
    DestinationConfig: { OnFailure: destinationOf(definition, account) },
  };
}

function destinationOf({ failureBucket, failureQueue }: MappingDefinition, account: Account) {
  if (failureBucket !== undefined) return { Destination: bucketArn(failureBucket) };
  return failureQueue === undefined ? {} : { Destination: queueArn(account, failureQueue) };
}
