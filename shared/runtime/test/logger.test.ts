import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CodedError, createLogger, type LogLevel } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';

function logged(level: LogLevel | undefined, write: (logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = [];
  write(createLogger('projector', level, { write: (line) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line));
}

describe('a logger', () => {
  test('writes a line of JSON with name, time in ISO 8601, level, message and fields, and nothing of the machine', () => {
    const [line] = logged('info', (logger) => logger.info({ records: 3 }, 'batch done'));
    expect(line).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
      name: 'projector',
      records: 3,
      msg: 'batch done',
    });
  });

  test('leaves out what is below its level, which is info unless said otherwise', () => {
    const writeAll = (logger: ReturnType<typeof createLogger>) => {
      logger.debug('d');
      logger.info('i');
      logger.error('e');
    };
    expect(logged(undefined, writeAll).map(({ msg }) => msg)).toEqual(['i', 'e']);
    expect(logged('debug', writeAll).map(({ msg }) => msg)).toEqual(['d', 'i', 'e']);
    expect(logged('silent', writeAll)).toEqual([]);
  });

  test('writes an error under "error" with its code, its stack and its cause', () => {
    const error = new CodedError('BUSY', 'later', { retryable: true, cause: new Error('underneath') });
    const [line] = logged('info', (logger) => logger.error({ error }, 'put failed'));
    expect(line.error).toMatchObject({
      code: 'BUSY',
      retryable: true,
      message: expect.stringContaining('later'),
    });
    expect(line.error.stack).toContain('underneath');
  });

  test('keeps standard output free: lines go to standard error', async () => {
    const runtime = fileURLToPath(import.meta.resolve('@twinstream/runtime'));
    const script = `import { createLogger } from ${JSON.stringify(runtime)}; createLogger('x').warn('to stderr');`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', script]);
    const { stdout, stderr } = await run;
    expect(stdout).toBe('');
    expect(stderr).toContain('"msg":"to stderr"');
  });
});
