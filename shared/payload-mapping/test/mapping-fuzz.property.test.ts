import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { decodeEvent } from '@twinstream/device-model';
import {
  compileMappings,
  type MappedRecord,
  type PayloadMapper,
  readMapping,
} from '@twinstream/payload-mapping';
import { encode } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapperOf, record } from './mapping-builder.ts';

/** Payloads for each ready-made mapping, and random mappings: few by default; 100000 and 10000 for the whole run. */
const PAYLOADS = Number(process.env.TWINSTREAM_TEST_FUZZED_PAYLOADS ?? 100);
const MAPPINGS = Number(process.env.TWINSTREAM_TEST_RANDOM_MAPPINGS ?? 150);
/** Far above what the limit of work allows, so that a slow machine passes and an unbounded mapping does not. */
const RECORD_MS_MAX = 5_000;
const TIMEOUT_MS = 60_000 + (PAYLOADS + MAPPINGS) * 10;

const FOLDER = new URL('../../../mappings/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8');

/** What every record must come to: events that are valid, rejections by name, or neither, and never an error. */
function mustBeSettled(mapper: PayloadMapper, data: Uint8Array): MappedRecord {
  const startMs = performance.now();
  const mapped = mapper.map(record(data));
  expect(performance.now() - startMs).toBeLessThan(RECORD_MS_MAX);
  const { events, rejections, ignored, itemCount } = mapped;
  if (events.length + rejections.length + ignored === 0) expect(itemCount).toBe(0);
  for (const { event, text } of events) expect(decodeEvent(Buffer.from(text))).toEqual({ event, text });
  for (const { rejected, detail } of rejections) expect(`${rejected}: ${detail}`).toMatch(/^[a-z0-9-]+: ./);
  return mapped;
}

/** Names and texts that mean something to a mapping, among those that mean nothing. */
const word = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'length',
    'toString',
    '',
    '0',
    'id',
    'data',
    'time',
    'v',
    'n',
    'topic',
  ),
  fc.constantFrom('a/b/c', '2026-01-01T00:00:00Z', '1767225600', 'AKRA', '{"a":1}', 'on', '\ud800'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const leaf = fc.oneof(
  word,
  fc.double(),
  fc.integer(),
  fc.maxSafeNat(),
  fc.boolean(),
  fc.constantFrom(null, 1767225600, 1767225600123, -1, 2 ** 53, 1e300),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(word, tie('value'), { maxKeys: 6 }),
  ),
})).value;

/** Puts a random value somewhere into a payload, or takes a member away. */
function mutated(value: unknown, path: readonly number[], replacement: unknown): unknown {
  const [at, ...rest] = path;
  if (at === undefined || typeof value !== 'object' || value === null) return replacement;
  if (Array.isArray(value)) {
    if (value.length === 0) return replacement;
    const index = at % value.length;
    return value.map((each, n) => (n === index ? mutated(each, rest, replacement) : each));
  }
  const names = Object.keys(value);
  if (names.length === 0) return replacement;
  const name = names[at % names.length] ?? '';
  const { [name]: inner, ...others } = value as Record<string, unknown>;
  if (rest.length === 0 && replacement === undefined) return others;
  return { ...others, [name]: mutated(inner, rest, replacement) };
}

const mutation = fc.tuple(
  fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
  fc.oneof(json, fc.constant(undefined)),
);

describe('whatever a record holds, it becomes valid events, rejections by name, or nothing', () => {
  const names = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
  test.each(names)(
    'under %s',
    (file) => {
      const mapper = mapperOf(read(file));
      const samples = read(`samples/${file.replace('.yaml', '.ndjson')}`)
        .trimEnd()
        .split('\n');
      const sample = fc.constantFrom(...samples.map((line): unknown => JSON.parse(line)));
      const near = fc
        .tuple(sample, fc.array(mutation, { maxLength: 3 }))
        .map(([payload, mutations]) =>
          mutations.reduce<unknown>(
            (value, [path, replacement]) => mutated(value, path, replacement),
            payload,
          ),
        )
        .map((value) => Buffer.from(JSON.stringify(value) ?? ''));
      const damaged = fc.tuple(near, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
        const copy = Buffer.from(bytes);
        if (copy.length > 0) copy[at % copy.length] = byte;
        return copy;
      });
      const far = fc.oneof(
        json.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        near.map((bytes) => gzipSync(bytes)),
      );
      fc.assert(
        fc.property(fc.oneof({ weight: 4, arbitrary: near }, damaged, far), (data) => {
          mustBeSettled(mapper, data);
        }),
        { numRuns: PAYLOADS },
      );
    },
    TIMEOUT_MS,
  );
});

const path = fc.oneof(
  fc.constantFrom(
    'id',
    'data',
    'time',
    '$payload',
    '$item',
    '$key',
    '$index',
    '$carried.n',
    '$record.arrivalTime',
  ),
  fc.constantFrom(
    'data[0]',
    'data[-1].n',
    '["__proto__"]',
    'constructor',
    'data.length',
    '$envelope.topic',
    'v',
  ),
);
const pattern = fc.oneof(
  fc.constantFrom('(.*)', '.*a.*', '[^/]+/([^/]+)', '(a|b)?x*', '\\d+', '(\\d{1,3})-?', '.*.*'),
  fc.string({
    unit: fc.constantFrom('a', '.', '*', '+', '?', '(', ')', '[', ']', '^', '|', '\\', '{2}'),
    maxLength: 10,
  }),
);
const step = fc.oneof(
  fc.constantFrom('text', 'number', 'boolean', 'trim', 'lowercase', 'uppercase', 'json'),
  fc.record({ split: fc.record({ by: fc.constantFrom('/', '.'), index: fc.integer({ min: -3, max: 3 }) }) }),
  fc.record({ match: fc.record({ pattern: pattern.filter((text) => text !== '') }) }),
  fc.record({ scale: fc.record({ factor: fc.double({ noNaN: true }), decimals: fc.nat(15) }) }),
  fc.record({ enum: fc.record({ values: fc.dictionary(word, leaf.filter(isFiniteJson)) }) }),
  fc.record({
    time: fc.record({
      unit: fc.constantFrom('seconds', 'milliseconds', 'nanoseconds', 'by-magnitude', 'iso'),
      offset: fc.constantFrom('Z', '+23:59'),
    }),
  }),
  fc.record({
    decode: fc.record({
      from: fc.constantFrom('base64', 'hex'),
      to: fc.constantFrom('text', 'hex', 'json', 'cbor'),
    }),
  }),
  fc.record({ integer: fc.record({ offset: fc.nat(4), bytes: fc.integer({ min: 1, max: 6 }) }) }),
  fc.record({
    pick: fc.array(
      word.filter((text) => text !== ''),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    drop: fc.array(
      word.filter((text) => text !== ''),
      { maxLength: 3 },
    ),
  }),
  fc.record({ flatten: fc.constantFrom('.', '', '/') }),
);
function isFiniteJson(value: unknown): boolean {
  return typeof value !== 'number' || Number.isFinite(value);
}
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    path,
    fc.record({ const: leaf.filter(isFiniteJson) }),
    fc.record(
      { path, steps: fc.array(step, { maxLength: 4 }), default: leaf.filter(isFiniteJson) },
      { requiredKeys: ['path'] },
    ),
    fc.record({ concat: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ sum: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ first: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ merge: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      object: fc.dictionary(
        word.filter((text) => text !== ''),
        tie('value'),
        { maxKeys: 3 },
      ),
    }),
    fc.record({ member: fc.record({ name: tie('value'), value: tie('value') }) }),
    fc.record({ pairs: fc.record({ path, name: tie('value'), value: tie('value') }) }),
    fc.record({
      expression: fc.constantFrom('.id + .id', 'if(.v > 1, .v / 0, .id)', 'substring(.id, 0, 2)', '.n.m'),
    }),
  ),
})).value;
const condition = fc.oneof(
  fc.record({ value, exists: fc.boolean() }),
  fc.record({ value, equals: leaf.filter(isFiniteJson), not: fc.boolean() }),
  fc.record({ value, matches: pattern.filter((text) => text !== '') }),
  fc.record({ value, is: fc.constantFrom('object', 'array', 'text', 'number') }),
);
const rule = fc.record(
  {
    name: fc.constantFrom('one', 'two', 'three'),
    when: fc.array(condition, { maxLength: 2 }),
    unwrap: value,
    each: fc.record(
      {
        path,
        of: fc.constantFrom('elements', 'members'),
        carry: fc.constant(['n', '__proto__']),
        merge: fc.boolean(),
      },
      { requiredKeys: ['path'] },
    ),
    event: fc.record(
      {
        deviceId: fc.oneof(fc.constant({ const: 'd' }), value),
        type: value,
        time: value,
        identity: fc.oneof(
          fc.record({ wrapping: value }),
          fc.record({ session: value, counter: value }),
          fc.record({ key: value, window: fc.record({ events: fc.integer({ min: 1, max: 512 }) }) }),
          fc.record({
            content: fc.constant(true),
            window: fc.record({ seconds: fc.integer({ min: 1, max: 60 }) }),
          }),
        ),
        data: value,
      },
      { requiredKeys: ['deviceId'] },
    ),
  },
  { requiredKeys: ['name', 'event'] },
);
const document = fc.record({
  language: fc.constant(1),
  mapping: fc.constant('random'),
  version: fc.constant(1),
  format: fc.constantFrom('json', 'ndjson', 'cbor'),
  gzip: fc.boolean(),
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
});

test(
  'whatever a mapping says, it is refused with a place, or every record becomes valid events, rejections by name, or nothing',
  () => {
    const payload = fc.oneof(
      json,
      fc.dictionary(fc.constantFrom('id', 'data', 'time', 'v', 'n', 'topic'), json),
    );
    let compiledCount = 0;
    fc.assert(
      fc.property(document, fc.array(payload, { minLength: 1, maxLength: 5 }), (drawn, payloads) => {
        const read = readMapping(JSON.parse(JSON.stringify(drawn)));
        const mapper = 'faults' in read ? read : compileMappings([read]);
        if ('faults' in mapper) {
          expect(mapper.faults.length).toBeGreaterThan(0);
          return;
        }
        compiledCount += 1;
        for (const each of payloads) {
          const text = JSON.stringify(each) ?? '';
          mustBeSettled(
            mapper,
            drawn.format === 'cbor' ? encode(JSON.parse(text || 'null')) : Buffer.from(text),
          );
        }
      }),
      { numRuns: MAPPINGS },
    );
    expect(compiledCount).toBeGreaterThan(MAPPINGS / 10);
  },
  TIMEOUT_MS,
);

test('a time in milliseconds is written as a date writes it, in any order of times', () => {
  const text = `
language: 1
mapping: times
version: 1
rules:
  - { name: one, event: { deviceId: { const: d }, time: { path: t, steps: [{ time: { unit: milliseconds } }] } } }
`;
  const mapper = mapperOf(text);
  const day = fc.integer({ min: -719_528, max: 2_932_896 });
  const times = fc.tuple(day, fc.array(fc.nat(86_399_999), { minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(times, { maxLength: 5 }), (days) => {
      for (const ms of days.flatMap(([first, rest]) => rest.map((inDay) => first * 86_400_000 + inDay))) {
        const [mapped] = mapper.map(record(Buffer.from(JSON.stringify({ t: ms })))).events;
        expect(mapped?.event.time).toBe(new Date(ms).toISOString());
      }
    }),
  );
});

test('the costliest pattern on the longest text is within the work of a record', () => {
  const text = `
language: 1
mapping: slow
version: 1
rules:
  - name: slow
    each: { path: list }
    event:
      deviceId: { const: d }
      data: { object: { x: { path: $item, steps: [{ match: { pattern: "(a|a)?(a|a)?.*a.*b" } }] } } }
`;
  const list = Array.from({ length: 1_000 }, () => 'a'.repeat(256));
  const { rejections } = mustBeSettled(mapperOf(text), Buffer.from(JSON.stringify({ list })));
  expect(rejections).toMatchObject([{ rejected: 'mapping-limit' }]);
});
