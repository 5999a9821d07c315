import { expect, test } from 'vitest';
import { startHandlerHost } from '../src/handler-host.ts';
import { labCommand } from '../src/lab-command.ts';

test('a line of the handler that begins as the own line of its host is no address', async () => {
  const options = {
    ...labCommand().opts(),
    ...{ command: [], handler: './handler.mjs', handlerName: 'handler', batchSize: 1 },
  };
  const host = await startHandlerHost(options as never, 'http://127.0.0.1:9');
  try {
    expect(host?.take('{"url":oops')).toBe(false);
    expect(host?.take('{"url":"http://127.0.0.1:9","pid":1}')).toBe(true);
  } finally {
    await host?.close();
  }
});
