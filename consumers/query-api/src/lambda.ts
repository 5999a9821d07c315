import { handle } from 'hono/aws-lambda';
import { READ_ENDPOINTS } from './app.ts';
import { awsServices } from './aws-services.ts';
import { queryApiConfiguration } from './configuration.ts';
import { httpApp } from './http-app.ts';
import { lambdaAccess } from './lambda-access.ts';

const services = awsServices(queryApiConfiguration(process.env), { isLongLived: false });
/** Corrections and the quarantine are functions of their own: this one may write nothing. Answers an HTTP API (payload format 2.0) or a function URL, behind an IAM or JWT authorizer. */
export const handler = handle(httpApp(READ_ENDPOINTS, services, lambdaAccess));
