import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Level names that `TWINSTREAM_LOG_LEVEL` may hold. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger of JSON lines with ISO times. Messages are constant, what varies goes into fields, and a payload
 * never does. Logs go to standard error unless `destination` says otherwise, so that data keeps standard output.
 */
export function createLogger(
  name: string,
  level: LogLevel = 'info',
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    { name, level, base: {}, timestamp: pino.stdTimeFunctions.isoTime, errorKey: 'error' },
    destination,
  );
}
