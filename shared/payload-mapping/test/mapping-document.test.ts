import { readFileSync } from 'node:fs';
import { compileMappings, mappingJsonSchema, parseMappingText } from '@twinstream/payload-mapping';
import { describe, expect, test } from 'vitest';
import { mapperOf, mapText } from './mapping-builder.ts';

const HEAD = 'language: 1\nmapping: m\nversion: 1\n';
const withEvent = (event: string) => `${HEAD}rules: [{ name: r, event: ${event} }]`;

function faultsOf(text: string): unknown {
  const document = parseMappingText(text);
  if ('faults' in document) return document.faults;
  const mapper = compileMappings([document]);
  return 'faults' in mapper ? mapper.faults : [];
}

test('the published JSON Schema is the one of this code', () => {
  const published = readFileSync(new URL('../../../mappings/mapping.schema.json', import.meta.url), 'utf8');
  expect(
    JSON.parse(published),
    'write it again: node shared/payload-mapping/scripts/write-schema.ts',
  ).toEqual(mappingJsonSchema());
});

test('the example of the reference makes events', () => {
  const reference = readFileSync(new URL('../../../docs/payload-mappings.md', import.meta.url), 'utf8');
  const example = /```\n(# yaml-language-server[^`]*)```/.exec(reference)?.[1] ?? '';
  const payload = { site: 's', pump: { id: 'p1' }, ts: 1767225600, boot: 1, seq: 2, t_f: 70.7, run: 'on' };
  expect(mapText(example, payload).events).toMatchObject([
    {
      event: {
        deviceId: 's:p1',
        time: '2026-01-01T00:00:00.000Z',
        identity: { session: 1, counter: 2 },
        data: { temperatureC: 21.5, running: true },
      },
    },
  ]);
});

test('a mapping may be JSON', () => {
  const text = JSON.stringify({
    language: 1,
    mapping: 'm',
    version: 1,
    rules: [{ name: 'r', ignore: 'all' }],
  });
  expect(mapperOf(text).mappings).toEqual([{ name: 'm', version: 1 }]);
});

describe('a document with a fault is refused, with the place', () => {
  test.each<[string, string, string, string | RegExp]>([
    ['an unknown member', withEvent('{ deviceId: id, colour: red }'), 'rules[0].event', /colour/],
    ['a misspelt source', withEvent('{ deviceId: { pth: id } }'), 'rules[0].event.deviceId', /pth/],
    [
      'two sources',
      withEvent('{ deviceId: { path: id, const: x } }'),
      'rules[0].event.deviceId',
      /exactly one of/,
    ],
    [
      'a number that a double does not hold',
      withEvent('{ deviceId: { path: id, default: 9007199254740993 } }'),
      '',
      /9007199254740993 would be rounded: write it as a text/,
    ],
    [
      'a name that no object keeps',
      withEvent('{ deviceId: id, data: { object: { __proto__: x } } }'),
      'rules[0].event.data.object.__proto__',
      /__proto__/,
    ],
    ['a missing id', withEvent('{ time: t }'), 'rules[0].event.deviceId', /./],
    [
      'an unknown step deep inside',
      withEvent('{ deviceId: { concat: [{ path: id, steps: [{ spilt: {} }] }] } }'),
      'rules[0].event.deviceId.concat[0].steps[0]',
      /spilt/,
    ],
    ['a rule of neither kind', `${HEAD}rules: [{ name: r }]`, 'rules[0]', /exactly one of event, ignore/],
    ['no rules', `${HEAD}rules: []`, 'rules', /./],
    [
      'another language',
      withEvent('{ deviceId: id }').replace('language: 1', 'language: 2'),
      'language',
      /1/,
    ],
    [
      'an invalid path',
      withEvent('{ deviceId: "a..b" }'),
      'm: rules.r.event.deviceId',
      'invalid path at character 2',
    ],
    [
      'an unknown root',
      withEvent('{ deviceId: $topic }'),
      'm: rules.r.event.deviceId',
      /unknown root \$topic/,
    ],
    [
      'a quantified group',
      withEvent('{ deviceId: { path: id, steps: [{ match: { pattern: "(a+)+b" } }] } }'),
      'm: rules.r.event.deviceId.steps[0].match',
      'a quantifier must follow one character or class, not a group',
    ],
    [
      'three ambiguous quantifiers',
      withEvent('{ deviceId: { path: id, steps: [{ match: { pattern: ".*.*.*x" } }] } }'),
      'm: rules.r.event.deviceId.steps[0].match',
      /more than 2 quantifiers/,
    ],
    [
      'a look-ahead',
      withEvent('{ deviceId: { path: id, steps: [{ match: { pattern: "(?=a)" } }] } }'),
      'm: rules.r.event.deviceId.steps[0].match',
      /./,
    ],
    [
      'a back reference',
      withEvent('{ deviceId: { path: id, steps: [{ match: { pattern: "(a)\\\\1" } }] } }'),
      'm: rules.r.event.deviceId.steps[0].match',
      /not supported/,
    ],
    [
      'an expression that repeats',
      withEvent("{ deviceId: { expression: '.list | map(.a)' } }"),
      'm: rules.r.event.deviceId.expression',
      /calls pipe; allowed/,
    ],
    [
      'an expression with a pattern',
      withEvent(`{ deviceId: { expression: 'regex(.a, "(a+)+b")' } }`),
      'm: rules.r.event.deviceId.expression',
      /calls regex/,
    ],
    [
      'an unknown codec',
      `${HEAD}format: { codec: avro }\nrules: [{ name: r, ignore: x }]`,
      'm: format',
      'no codec "avro"',
    ],
    [
      'one name twice',
      `${HEAD}rules: [{ name: r, ignore: x }, { name: r, ignore: x }]`,
      'm: rules.r',
      /taken/,
    ],
    ['what is not YAML', '{', '', /./],
    ['an alias', `${HEAD}rules: &r [{ name: r, ignore: x }]\ndescription: *r`, '', /alias/i],
  ])('%s', (_, text, place, message) => {
    expect(faultsOf(text)).toEqual(
      expect.arrayContaining([
        { at: place, message: typeof message === 'string' ? message : expect.stringMatching(message) },
      ]),
    );
  });
});
