import { invalidArgument, limitExceeded, resourceInUse, streamNotFound } from './api-error.ts';
import {
  CONSUMER_ARN,
  CONSUMER_NAME,
  type ConsumerPlace,
  consumerArn,
  consumerNotFound,
  consumerOfArn,
  consumerOfName,
} from './consumer-address.ts';
import { EMPTY, type KinesisService, membersAnswer, operation } from './operation.ts';
import { pageToken, readPageToken } from './page-token.ts';
import { integer, optional, required, structure, text, timestampMs } from './request-shape.ts';
import type { Stream } from './stream.ts';
import { activeStream, addressedStream, STREAM_ARN, streamArn } from './stream-address.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import { TAGS, withTags } from './tags.ts';
import { type Members, Timestamp } from './wire-format.ts';

/** API reference, RegisterStreamConsumer: of a stream, and of those that are CREATING (read 2026-12). */
const CONSUMERS_MAX = 20;
const CONSUMERS_CREATING_MAX = 5;
/** API reference, ListStreamConsumers, MaxResults (read 2026-12). */
const CONSUMERS_PAGE = { default: 100, max: 10_000 };
const CONSUMERS_LIST = 'consumers';

export const registerStreamConsumer = operation(
  structure({
    StreamARN: required(STREAM_ARN, ''),
    ConsumerName: required(CONSUMER_NAME, ''),
    Tags: optional(TAGS),
  }),
  (service, { StreamARN, ConsumerName, Tags }) => {
    const stream = activeStream(service, { StreamName: undefined, StreamARN });
    if (stream.consumers.some(({ name }) => name === ConsumerName)) {
      throw resourceInUse(
        `Consumer ${ConsumerName} under stream ${stream.name} under account ${service.accountId} already exists.`,
      );
    }
    if (stream.consumers.length >= CONSUMERS_MAX) {
      throw limitExceeded(`Stream ${stream.name} has ${CONSUMERS_MAX} consumers, the most that it may have.`);
    }
    if (stream.consumers.filter(({ status }) => status === 'CREATING').length >= CONSUMERS_CREATING_MAX) {
      throw limitExceeded(
        `Stream ${stream.name} has ${CONSUMERS_CREATING_MAX} consumers in status CREATING, the most that may be so.`,
      );
    }
    const consumer = service.store.register(stream, ConsumerName, withTags({}, Tags ?? {}));
    return membersAnswer({ Consumer: consumerMembers(service, stream, { ...consumer, status: 'CREATING' }) });
  },
);

const CONSUMER_ADDRESS = structure({
  StreamARN: optional(STREAM_ARN),
  ConsumerName: optional(CONSUMER_NAME),
  ConsumerARN: optional(CONSUMER_ARN),
});

export const describeStreamConsumer = operation(CONSUMER_ADDRESS, (service, input) => {
  const { stream, consumer } = addressedConsumer(service, input);
  return membersAnswer({
    ConsumerDescription: {
      ...consumerMembers(service, stream, consumer),
      StreamARN: streamArn(service, stream.name),
    },
  });
});

export const deregisterStreamConsumer = operation(CONSUMER_ADDRESS, (service, input) => {
  const { stream, consumer } = addressedConsumer(service, input);
  if (consumer.status === 'DELETING') return EMPTY;
  service.store.deregister(stream, consumer);
  const arn = consumerArn(service, stream, consumer);
  service.subscriptions.end(arn, consumerNotFound(service, arn));
  return EMPTY;
});

export const listStreamConsumers = operation(
  structure({
    StreamARN: required(STREAM_ARN, ''),
    NextToken: optional(text({ min: 1, max: 1_048_576 })),
    MaxResults: optional(integer({ min: 1, max: CONSUMERS_PAGE.max })),
    StreamCreationTimestamp: optional(timestampMs),
  }),
  (service, input) => {
    const { StreamARN, NextToken, MaxResults, StreamCreationTimestamp: createdMs } = input;
    const nowMs = service.clock.now();
    const stream = addressedStream(service, { StreamName: undefined, StreamARN });
    if (NextToken !== undefined && createdMs !== undefined) {
      throw invalidArgument('NextToken and StreamCreationTimestamp cannot be provided together.');
    }
    // Clients may have rounded it to seconds.
    if (createdMs !== undefined && Math.abs(createdMs - stream.createdMs) >= 1000) {
      throw streamNotFound(stream.name, service.accountId);
    }
    const list = `${CONSUMERS_LIST} of ${stream.name}@${stream.createdMs}`;
    const after = NextToken === undefined ? '' : String(readPageToken(list, NextToken, nowMs));
    const rest = stream.consumers
      .filter(({ name }) => name > after)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const page = rest.slice(0, MaxResults ?? CONSUMERS_PAGE.default);
    const last = page.length < rest.length ? page.at(-1) : undefined;
    return membersAnswer({
      Consumers: page.map((consumer) => consumerMembers(service, stream, consumer)),
      NextToken: last && pageToken(list, last.name, nowMs),
    });
  },
);

/** Throws InvalidArgumentException when the request names none or two. */
function addressedConsumer(
  service: KinesisService,
  request: {
    readonly StreamARN: string | undefined;
    readonly ConsumerName: string | undefined;
    readonly ConsumerARN: string | undefined;
  },
): ConsumerPlace {
  const { StreamARN, ConsumerName, ConsumerARN } = request;
  if (ConsumerARN === undefined) {
    if (StreamARN === undefined || ConsumerName === undefined) {
      throw invalidArgument('Either ConsumerARN or both StreamARN and ConsumerName must be provided.');
    }
    const stream = addressedStream(service, { StreamName: undefined, StreamARN });
    return consumerOfName(service, stream, ConsumerName);
  }
  const place = consumerOfArn(service, ConsumerARN);
  const isSame =
    (ConsumerName === undefined || ConsumerName === place.consumer.name) &&
    (StreamARN === undefined || StreamARN === streamArn(service, place.stream.name));
  if (!isSame) {
    throw invalidArgument('ConsumerARN names another consumer than StreamARN and ConsumerName do.');
  }
  return place;
}

function consumerMembers(service: KinesisService, stream: Stream, consumer: StreamConsumer): Members {
  return {
    ConsumerName: consumer.name,
    ConsumerARN: consumerArn(service, stream, consumer),
    ConsumerStatus: consumer.status,
    ConsumerCreationTimestamp: new Timestamp(consumer.createdMs),
  };
}
