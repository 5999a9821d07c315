// A parent for tests to kill: node parent-process.ts ENGINE prints the process ids of the engines it started.
import { startDynamoDb } from '../../src/dynamodb/dynamodb.ts';
import { startS3 } from '../../src/s3/s3.ts';

const engine = process.argv[2] === 'java' ? 'java' : 'dynalite';
const [dynamoDb, s3] = await Promise.all([startDynamoDb({ engine }), startS3()]);
process.stdout.write(`${JSON.stringify([dynamoDb.pid, s3.pid])}\n`);
