import { createServer } from 'node:http';

// An HTTP server in a process of its own that answers every request immediately, as DynamoDB answers a put, or a batch of writes. It tells its parent
// its port, and ends with it.

/** Precedes each statement of a batch; within a value its quotes would be escaped. */
const STATEMENT = '"Statement":';

const server = createServer(async (request, response) => {
  const isBatch = request.headers['x-amz-target']?.toString().endsWith('BatchExecuteStatement');
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (isBatch) chunks.push(chunk);
  const statements = Buffer.concat(chunks).toString('utf8').split(STATEMENT).length - 1;
  const body = isBatch ? JSON.stringify({ Responses: Array.from({ length: statements }, () => ({})) }) : '{}';
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.(address.port);
});
process.once('disconnect', () => process.exit(0));
