import { LOG_LEVELS, type LogLevel } from '@twinstream/runtime';

/** Numbers of the levels in a line, from pino's documentation ("logger.levels", read 2026-12). */
const NUMBERS: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};
const LEVEL = /^\{"level":(\d+),/;

/** The level that a variable names, or the default. */
export function logLevelOf(text: string | undefined, byDefault: LogLevel): LogLevel {
  return LOG_LEVELS.find((level) => level === text) ?? byDefault;
}

/** The more talkative of two levels. */
export function lowerLevel(one: LogLevel, other: LogLevel): LogLevel {
  return NUMBERS[one] <= NUMBERS[other] ? one : other;
}

/** Whether a line is of this level or above it. What is not a line of a logger always is. */
export function isOfLevel(line: string, level: LogLevel): boolean {
  const number = LEVEL.exec(line)?.[1];
  return number === undefined || Number(number) >= NUMBERS[level];
}
