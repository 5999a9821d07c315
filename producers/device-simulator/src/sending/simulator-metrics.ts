import { type ProducerMetrics, RETRY_REASONS } from '@twinstream/stream-producer';
import type { ScrapedMetric } from '@twinstream/telemetry';
import type { Counts, Tally } from './tally.ts';

/** What a run counts. Its parts are known one after the other; until then they count nothing. */
export interface CountedRun {
  tally?: Pick<Tally, 'counts' | 'inFlight'>;
  producer?: Pick<ProducerMetrics, 'snapshot'>;
}

const EVENTS: Readonly<Record<keyof Counts, string>> = {
  scheduled: 'Events that were due.',
  sent: 'Events that left for the stream at least once.',
  acknowledged: 'Events that the stream said it has.',
  retried: 'Times that events were sent again.',
  failed: 'Events that were given up.',
  possiblyStored: 'Of the failed: those that the stream may have.',
  dropped: 'Events that were not sent because the schedule could not be kept.',
};
const REQUESTS = {
  answered: 'requestsAnswered',
  throttled: 'requestsThrottled',
  unanswered: 'requestsUnanswered',
  refused: 'requestsRefused',
} as const;
const MS_PER_SECOND = 1_000;

/** Metrics of a run: its events, and what the producer does with them. */
export function simulatorMetrics(run: CountedRun): readonly ScrapedMetric[] {
  const snapshot = () => run.producer?.snapshot();
  const ofProducer = (
    type: ScrapedMetric['type'],
    name: string,
    help: string,
    read: (of: ReturnType<ProducerMetrics['snapshot']>) => number,
  ): ScrapedMetric => ({
    type,
    name: `twinstream_producer_${name}`,
    help,
    samples: () => [snapshot()].flatMap((of) => (of === undefined ? [] : [{ value: read(of) }])),
  });
  return [
    ...Object.entries(EVENTS).map(
      ([member, help]): ScrapedMetric => ({
        type: 'counter',
        name: `twinstream_simulator_${member === 'possiblyStored' ? 'possibly_stored' : member}_total`,
        help,
        samples: () => [{ value: run.tally?.counts()[member as keyof Counts] ?? 0 }],
      }),
    ),
    {
      type: 'gauge',
      name: 'twinstream_simulator_in_flight',
      help: 'Events without an outcome.',
      samples: () => [{ value: run.tally?.inFlight() ?? 0 }],
    },
    ofProducer('gauge', 'buffered_bytes', 'Bytes of the buffer in use.', (of) => of.bufferedBytes),
    ofProducer('gauge', 'puts_waiting', 'Calls that wait for buffer capacity.', (of) => of.putsWaiting),
    ofProducer('gauge', 'requests_in_flight', 'Requests without an answer.', (of) => of.requestsInFlight),
    ofProducer('counter', 'records_sent_total', 'Kinesis records sent, each try.', (of) => of.recordsSent),
    ofProducer(
      'counter',
      'bytes_sent_total',
      'Data and keys sent, in bytes, each try.',
      (of) => of.bytesSent,
    ),
    ofProducer(
      'counter',
      'acknowledgement_seconds_total',
      'Sum of the times from put to acknowledgement.',
      (of) => of.acknowledgementTime.totalMs / MS_PER_SECOND,
    ),
    ofProducer(
      'counter',
      'acknowledged_total',
      'Events acknowledged: by them the sum of their times is divided.',
      (of) => of.acknowledgementTime.count,
    ),
    {
      type: 'counter',
      name: 'twinstream_producer_requests_total',
      help: 'Requests to the stream that have ended, by how.',
      labelNames: ['result'],
      samples: () =>
        Object.entries(REQUESTS).map(([result, member]) => ({
          labels: { result },
          value: snapshot()?.[member] ?? 0,
        })),
    },
    {
      type: 'counter',
      name: 'twinstream_producer_retries_total',
      help: 'Events sent again, by the reason of the attempt before.',
      labelNames: ['reason'],
      samples: () =>
        RETRY_REASONS.map((reason) => ({ labels: { reason }, value: snapshot()?.retries[reason] ?? 0 })),
    },
  ];
}
