import { firehoseClient } from '@twinstream/aws/firehose';
import { createLogger, systemClock } from '@twinstream/runtime';
import { archiverConfiguration } from './configuration.ts';
import { firehoseDeliveryStream } from './firehose-delivery-stream.ts';
import { createArchiver } from './handler.ts';

const configuration = archiverConfiguration(process.env);
// One try a call: the archiver itself sends again, until its deadline, what was not taken.
const client = firehoseClient({ maxAttempts: 1 });

export const handler = createArchiver({
  deliveryStream: firehoseDeliveryStream({ client, name: configuration.deliveryStream }),
  clock: systemClock,
  logger: createLogger('event-archiver', configuration.logLevel),
  random: Math.random,
});
