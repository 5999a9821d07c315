import { createRequire } from 'node:module';

// Its main module needs a client of every service.
const { fromKinesis } = createRequire(import.meta.url)('aws-lambda-stream/from/kinesis');

/** Its source of Kinesis, and the shortest pipeline that there is. */
export const handler = (event) =>
  fromKinesis(event)
    .tap(({ record }) => {
      process.stdout.write(`${Buffer.from(record.kinesis.data, 'base64').toString()}\n`);
    })
    .collect()
    .toPromise(Promise);
