import { handle } from 'hono/aws-lambda';
import { createApp } from './app.ts';
import { awsServices } from './aws-services.ts';
import { queryApiConfiguration } from './configuration.ts';
import { lambdaAccess } from './lambda-access.ts';

const services = awsServices(queryApiConfiguration(process.env), { isLongLived: false });

/** Answers an HTTP API (payload format 2.0) or a function URL, behind an IAM or JWT authorizer. */
export const handler = handle(createApp(services, lambdaAccess));
