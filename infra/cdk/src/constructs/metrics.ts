import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Archive } from './archive.ts';

/** Namespace of the metrics that the projector writes into its log. */
export const PROJECTOR_NAMESPACE = 'Twinstream/StateProjector';

/** Of every metric of the alarms and of the dashboard. */
export const PERIOD = Duration.minutes(1);
export const SUM = { period: PERIOD, statistic: 'Sum' } as const;
export const MAXIMUM = { period: PERIOD, statistic: 'Maximum' } as const;

/** A metric of the projector's log. */
export function projectorMetric({ streamName }: IStream, metricName: string, statistic = 'Sum'): Metric {
  return new Metric({
    namespace: PROJECTOR_NAMESPACE,
    metricName,
    dimensionsMap: { streamName },
    period: PERIOD,
    statistic,
  });
}

/** What a mapping did with batches that its function could not process. */
export function mappingMetric(
  { ref }: CfnEventSourceMapping,
  metricName: 'OnFailureDestinationDeliveredEventCount' | 'DroppedEventCount',
): Metric {
  const dimensionsMap = { EventSourceMappingUUID: ref };
  return new Metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap, ...SUM });
}

/** A metric of the delivery into the archive. */
export function deliveryMetric({ deliveryStream }: Archive, metricName: string, statistic: string): Metric {
  const dimensionsMap = { DeliveryStreamName: deliveryStream.ref };
  return new Metric({ namespace: 'AWS/Firehose', metricName, dimensionsMap, period: PERIOD, statistic });
}
