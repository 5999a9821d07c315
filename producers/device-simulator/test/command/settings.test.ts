import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planRun, SEEDED_START_TIME_MS } from '../../src/command/run-plan.ts';
import { readScenario, shippedScenarios } from '../../src/command/scenario-file.ts';
import { flagOf, readSettings, type Settings } from '../../src/command/settings.ts';

const NOW = Date.parse('2026-11-23T10:00:00.500Z');
const context = { nowMs: NOW, stream: undefined, drawSeed: () => 77 };
const read = (given: Record<string, unknown>) => readSettings(given, flagOf);
const plan = (settings: Settings) => planRun(settings, context);
const faultsOf = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_USAGE' });
    return error instanceof Error ? error.message.split('\n') : [];
  }
  throw new Error('nothing was wrong');
};

describe('settings', () => {
  test('are read as they are written on a command line', () => {
    const given = {
      devices: '1,000,000',
      kinds: 'vehicle=2,meter',
      skew: 'zipf:1.2',
      startTime: '2026-01-01T01:00:00+01:00',
      outageEvery: 'never',
      rate: '2500.5',
      ramp: '30s',
      burst: '5x:10s:1m',
      duration: 'PT2H',
      maxDelay: '500ms',
      seed: '0',
      duplicates: '2.5%',
      drop: '0.1',
      aggregate: true,
      mixedAggregates: 'resend',
    };
    expect(read(given)).toEqual({
      devices: 1_000_000,
      kinds: { vehicle: 2, meter: 1 },
      skew: { kind: 'zipf', exponent: 1.2 },
      startTime: SEEDED_START_TIME_MS,
      outageEvery: Number.POSITIVE_INFINITY,
      rate: 2_500.5,
      ramp: 30_000,
      burst: { factor: 5, lengthMs: 10_000, everyMs: 60_000 },
      duration: 7_200_000,
      maxDelay: 500,
      seed: 0,
      duplicates: 0.025,
      drop: 0.001,
      aggregate: true,
      mixedAggregates: 'resend',
    });
  });

  test.each([
    ['mixedAggregates', 'drop', /--mixed-aggregates: must be one of divide, resend/],
    ['devices', '0', /--devices: must be a whole number from 1 to 10000000, not "0"/],
    ['devices', '1.5', /whole number/],
    ['devices', 'many', /whole number/],
    ['devicePrefix', 'a b', /1 to 64 of A-Z/],
    ['devicePrefix', 'x'.repeat(65), /1 to 64 of A-Z/],
    ['kinds', 'toaster=1', /there are thermostat, vehicle, meter, door-sensor/],
    ['kinds', 'meter=x', /kinds with weights/],
    ['kinds', 'meter=0', /kinds with weights/],
    ['skew', 'zipf:0', /zipf:S/],
    ['skew', 'pareto', /zipf:S/],
    ['startTime', '2026-01-01', /--start-time: must be ISO 8601 with an offset, or now/],
    ['rate', '0', /--rate: must be events per second above 0, or max/],
    ['rate', '-3', /above 0/],
    ['duration', '5', /such as 500ms, 60s/],
    ['duration', '0s', /above 0/],
    ['duration', 'never', /duration/],
    ['burst', '5:1m:10s', /length below the period/],
    ['burst', '5:10s', /FACTOR:LENGTH:EVERY/],
    ['outOfOrder', '101', /--out-of-order: must be a percentage/],
    ['late', '-1', /percentage/],
    ['order', 'random', /--order: must be time or file/],
    ['utcOffset', 'CET', /--utc-offset: must be an offset/],
    ['stream', '', /must not be empty/],
    ['seed', '9007199254740992', /--seed: must be a whole number/],
  ])('refuse %s %j', (name, value, message) => {
    expect(faultsOf(() => read({ [name]: value }))).toEqual([expect.stringMatching(message)]);
  });

  test('name all faults together', () => {
    expect(faultsOf(() => read({ devices: 'x', rate: 'y', late: 'z' }))).toHaveLength(3);
  });
});

describe('a plan', () => {
  test('has devices, a rate, a stream, a seed and times without being told', () => {
    expect(plan({})).toMatchObject({
      source: {
        kind: 'fleet',
        fleet: { deviceCount: 100, seed: 77, startTimeMs: NOW, session: 1_795_428_000 },
        load: { ratePerSecond: 10 },
        isPaced: true,
      },
      stream: 'device-events',
      seed: 77,
      delayMsMax: 10_000,
      count: undefined,
      durationMs: undefined,
    });
  });

  test('begins at a fixed time when its seed is given, unless told otherwise', () => {
    const startOf = (settings: Settings): unknown => {
      const { source, session } = plan(settings);
      return source.kind === 'fleet' && [source.fleet.startTimeMs, session];
    };
    expect(startOf({ seed: 1 })).toEqual([SEEDED_START_TIME_MS, SEEDED_START_TIME_MS / 1_000]);
    expect(startOf({ seed: 1, startTime: 'now' })).toEqual([NOW, Math.floor(NOW / 1_000)]);
    expect(startOf({ seed: 1, session: 5 })).toEqual([SEEDED_START_TIME_MS, 5]);
    expect(startOf({ startTime: 1_000_000 })).toEqual([1_000_000, 1_000]);
  });

  test('of a recording counts sessions from the clock, seeded or not, and drops nothing', () => {
    const recorded = plan({
      input: 'f',
      seed: 1,
      idColumn: 'id',
      timeColumn: 'at',
      order: 'time',
      speed: 60,
    });
    expect(recorded).toMatchObject({
      source: {
        kind: 'recording',
        recording: { path: 'f', columns: { id: 'id', time: 'at' } },
        order: 'time',
        pace: { kind: 'speed', factor: 60 },
      },
      session: Math.floor(NOW / 1_000),
      delayMsMax: Number.POSITIVE_INFINITY,
    });
    expect(plan({ input: 'f' }).source).toMatchObject({ order: 'file', pace: { kind: 'max' } });
    expect(plan({ input: 'f', rate: 5, ramp: 10 }).source).toMatchObject({
      pace: { kind: 'profile', profile: { ratePerSecond: 5, rampMs: 10 } },
    });
  });

  test('takes the stream from the flag, then from the environment', () => {
    expect(planRun({}, { ...context, stream: 'env' }).stream).toBe('env');
    expect(planRun({ stream: 'flag' }, { ...context, stream: 'env' }).stream).toBe('flag');
  });

  test('sends as fast as it can at rate max, its events spaced as at the default rate', () => {
    expect(plan({ devices: 1_000, rate: 'max' }).source).toMatchObject({
      isPaced: false,
      load: { ratePerSecond: 100 },
    });
  });

  test.each<[Settings, RegExp]>([
    [{ duration: 1, count: 1 }, /--duration and --count exclude each other/],
    [{ input: 'f', rate: 1, speed: 1 }, /--rate and --speed exclude each other/],
    [{ input: 'f', raw: 'id', idColumn: 'id', timeColumn: 'at' }, /--raw and --id-column exclude each other/],
    [{ input: 'f', raw: 'id', malformed: 0.1 }, /--raw and --malformed exclude each other/],
    [{ raw: 'id' }, /--raw needs --input/],
    [{ mixedAggregates: 'resend' }, /--mixed-aggregates needs --aggregate/],
    [{ input: 'f', devices: 5 }, /--devices belongs to a simulated fleet, and cannot be given with --input/],
    [{ input: 'f', clockSkew: 0.1 }, /--clock-skew belongs/],
    [{ idColumn: 'id', timeColumn: 'at' }, /--id-column needs --input/],
    [{ speed: 'max' }, /--speed needs --input/],
    [{ input: 'f', idColumn: 'id' }, /--id-column needs --time-column/],
    [{ input: 'f', timeColumn: 'at' }, /--time-column needs --id-column/],
    [{ input: 'f', typeColumn: 'kind' }, /--type-column needs --id-column/],
    [
      { input: 'f', idColumn: 'i', timeColumn: 't', counterColumn: 'c' },
      /--counter-column needs --session-column/,
    ],
    [{ rate: 'max', ramp: 10 }, /--ramp needs a --rate/],
    [{ input: 'f', burst: { factor: 2, lengthMs: 1, everyMs: 2 } }, /--burst needs a --rate/],
    [{ late: 0.6, drop: 0.5 }, /must not be more than 100 % together/],
  ])('is refused for %j', (settings, message) => {
    expect(faultsOf(() => plan(settings)).join('\n')).toMatch(message);
  });

  test('takes faults that are a hundred percent together', () => {
    const shares = { duplicates: 0.1, outOfOrder: 0.2, late: 0.3, drop: 0.3, malformed: 0.1 };
    expect(plan(shares).faults).toEqual(shares);
  });
});

describe('a scenario', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'twinstream-scenario-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const scenario = (text: string, name = 's.yaml'): Settings => {
    writeFileSync(join(folder, name), text);
    return readScenario(name, folder);
  };

  test.each(shippedScenarios())('%s comes along, and can be run', (name) => {
    expect(plan(readScenario(name, folder)).source.kind).toBe('fleet');
  });

  test('in YAML or JSON holds any setting, under the name of its flag or in camel case', () => {
    const yaml =
      'description: x\nout-of-order: 2\nclockSkew: 5%\nrate: 10\nkinds: { meter: 1 }\nburst: 5:10s:1m\n';
    const expected = {
      outOfOrder: 0.02,
      clockSkew: 0.05,
      rate: 10,
      kinds: { meter: 1 },
      burst: { factor: 5, lengthMs: 10_000, everyMs: 60_000 },
    };
    expect(scenario(yaml)).toEqual(expected);
    const json = '{"out-of-order":2,"clockSkew":"5%","rate":10,"kinds":{"meter":1},"burst":"5:10s:1m"}';
    expect(scenario(json, 's.json')).toEqual(expected);
  });

  test('finds its input beside itself', () => {
    expect(scenario('input: day.csv').input).toBe(join(folder, 'day.csv'));
    expect(scenario('input: /data/day.csv').input).toBe('/data/day.csv');
    expect(scenario('input: "-"').input).toBe('-');
  });

  test.each([
    ['rat: 5\n', /s\.yaml: rat: there is no such setting/],
    ['rate: fast\n', /s\.yaml: rate: must be events per second/],
    ['rate: [1]\n', /s\.yaml: rate: must be events per second/],
    ['kinds: { toaster: 1 }\n', /s\.yaml: kinds: must be kinds/],
    ['- rate\n', /s\.yaml: must be a mapping of settings/],
    ['', /s\.yaml: must be a mapping of settings/],
    ['rate: 5\nrate: 6\n', /s\.yaml: Map keys must be unique/],
    ['rate: {\n', /s\.yaml: /],
    ['description: 5\n', /s\.yaml: description: must be text/],
    ['output: json\n', /s\.yaml: output: there is no such setting/],
  ])('%j is refused', (text, message) => {
    expect(faultsOf(() => scenario(text)).join('\n')).toMatch(message);
  });

  test('that is not there is refused with the names of those that are', () => {
    const [fault] = faultsOf(() => readScenario('nowhere.yaml', folder));
    expect(fault).toMatch(/nowhere\.yaml: there is no such file\. These come along: flaky-network, /);
  });
});
