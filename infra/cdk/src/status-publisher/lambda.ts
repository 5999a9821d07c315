import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createLogger, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
import { createStatusPublisher } from './handler.ts';

const SCHEMA = z.object({ TWINSTREAM_EVENT_BUS: z.string('the name of the event bus') });

export const handler = createStatusPublisher({
  client: new EventBridgeClient(),
  busName: readConfiguration(SCHEMA, process.env).TWINSTREAM_EVENT_BUS,
  logger: createLogger('status-publisher', 'info'),
});
