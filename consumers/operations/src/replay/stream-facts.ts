import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import type { OperationsServices } from '../services.ts';
import type { StreamFacts } from './read-spec.ts';

const HOUR_MS = 3_600_000;

export async function streamFacts(
  { kinesis, configuration }: OperationsServices,
  signal: AbortSignal,
): Promise<StreamFacts> {
  const command = new DescribeStreamSummaryCommand({ StreamName: configuration.streamName });
  const { StreamDescriptionSummary: summary } = await kinesis.send(command, { abortSignal: signal });
  return {
    createdTime: summary?.StreamCreationTimestamp?.getTime() ?? 0,
    retentionMs: (summary?.RetentionPeriodHours ?? 24) * HOUR_MS,
  };
}
