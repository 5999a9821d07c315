import { type Environment, LOG_LEVELS, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';

const SCHEMA = z.object({
  TWINSTREAM_DELIVERY_STREAM: z.string('the name of the Firehose stream that delivers to the archive'),
  TWINSTREAM_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

/** Settings of the archiver, from the environment. */
export function archiverConfiguration(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  return { deliveryStream: values.TWINSTREAM_DELIVERY_STREAM, logLevel: values.TWINSTREAM_LOG_LEVEL };
}
