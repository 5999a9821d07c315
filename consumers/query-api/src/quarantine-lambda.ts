import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { s3Client } from '@twinstream/aws/s3';
import { createLogger, systemClock } from '@twinstream/runtime';
import { handle } from 'hono/aws-lambda';
import { awsQuarantine } from './aws-quarantine.ts';
import { queryApiConfiguration } from './configuration.ts';
import { httpApp } from './http-app.ts';
import { lambdaAccess } from './lambda-access.ts';
import { openDecoder } from './open-decoder.ts';
import * as endpoints from './routes/quarantine.ts';

const configuration = queryApiConfiguration(process.env);
const services = awsQuarantine(configuration, {
  dynamoDb: dynamoDbClient(),
  s3: s3Client(),
  decoder: await openDecoder(configuration.mapping),
  clock: systemClock,
  logger: createLogger('quarantine', configuration.logLevel),
});

/** Shows records in quarantine, redrives and discards them, behind the same HTTP API and authorizer as the reads. */
export const handler = handle(httpApp(Object.values(endpoints), services, lambdaAccess));
