import { createServer } from 'node:http';

// An HTTP server in a process of its own that answers every request immediately, as DynamoDB answers a put. It tells its parent
// its port, and ends with it.

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 2 });
    response.end('{}');
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.(address.port);
});
process.once('disconnect', () => process.exit(0));
