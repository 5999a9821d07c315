import { createLogger, type LogLevel } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { isOfLevel, logLevelOf, lowerLevel } from '../../src/pipeline/log-filter.ts';

function lineOf(level: Exclude<LogLevel, 'silent'>): string {
  let text = '';
  createLogger('test', 'trace', { write: (line) => (text += line) })[level]('said');
  return text.trim();
}

test('a line is shown at its own level and at more talkative ones', () => {
  expect(isOfLevel(lineOf('info'), 'warn')).toBe(false);
  expect(isOfLevel(lineOf('info'), 'info')).toBe(true);
  expect(isOfLevel(lineOf('error'), 'warn')).toBe(true);
  expect(isOfLevel(lineOf('fatal'), 'silent')).toBe(false);
});

test('what no logger wrote is always shown', () => {
  expect(isOfLevel('Error: out of memory', 'silent')).toBe(true);
});

test('a level is read from its name, and the more talkative of two is chosen', () => {
  expect([logLevelOf('debug', 'warn'), logLevelOf('loud', 'warn'), logLevelOf(undefined, 'warn')]).toEqual([
    'debug',
    'warn',
    'warn',
  ]);
  expect([lowerLevel('warn', 'info'), lowerLevel('trace', 'info'), lowerLevel('silent', 'info')]).toEqual([
    'info',
    'trace',
    'info',
  ]);
});
