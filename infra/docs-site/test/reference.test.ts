import { CodedError, type Environment } from '@twinstream/runtime';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commandLinePage } from '../src/reference/command-line.ts';
import { environmentVariables } from '../src/reference/environment.ts';
import { memberRows, typeText } from '../src/reference/json-schema.ts';

describe('a type in words', () => {
  test.each([
    [{ type: 'string', maxLength: 3 }, 'string, characters ≤ `3`'],
    [
      { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 2 },
      'integer, ≥ `1`, default `2`',
    ],
    [{ enum: ['a', 'b'] }, '`a`, `b`'],
    [{ type: 'array', items: { $ref: '#/$defs/Rule' } }, 'list of [Rule](#rule)'],
    [{ anyOf: [{ type: 'boolean' }, { const: 'x' }] }, 'boolean or `x`'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'object of string by name'],
  ])('%j', (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });
});

test('members are listed with those of objects within, and of alternatives', () => {
  const inner = { type: 'object', properties: { b: { type: 'string', description: 'B.' } }, required: ['b'] };
  const schema = {
    type: 'object',
    properties: { a: inner },
    required: ['a'],
    oneOf: [{ properties: { c: { type: 'number' } } }],
  };
  expect(memberRows(schema)).toEqual([
    { name: 'a', type: 'object', isRequired: true, description: '' },
    { name: 'a.b', type: 'string', isRequired: true, description: 'B.' },
    { name: 'c', type: 'number', isRequired: false, description: '' },
  ]);
});

test('variables are those that a process reads, and those required that it names when they are absent', () => {
  const read = (environment: Environment) => {
    if (environment.A === undefined && environment.B === undefined) {
      throw new CodedError('INVALID_CONFIGURATION', 'configuration is invalid\n  A: a text');
    }
  };
  expect(environmentVariables([{ name: 'x', read }])).toEqual([
    { name: 'A', readBy: ['x'], neededBy: ['x'] },
    { name: 'B', readBy: ['x'], neededBy: [] },
  ]);
});

test('the page of commands has the help of each, with what stands after it', () => {
  const part = new Command('part').addHelpText('after', '\nExamples: …');
  part.command('below').option('--flag', 'sets it');
  const page = commandLinePage(new Command('root'), [part]);
  expect(page).toContain('## root part\n');
  expect(page).toContain('Examples: …');
  expect(page).toContain('### root part below\n');
  expect(page).toContain('--flag');
});
