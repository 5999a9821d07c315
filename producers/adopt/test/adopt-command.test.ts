import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { adoptCommand } from '@twinstream/adopt';
import { collectedOutput } from '@twinstream/command-line';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SAMPLES = fileURLToPath(new URL('../../../mappings/samples/', import.meta.url));
const NOW_MS = Date.parse('2026-01-01T00:10:00.000Z');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adopt-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function adopt(argv: readonly string[], input = '') {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const exitCode = await adoptCommand({
    ...{ argv, folder, environment: {}, stdout, stderr, nowMs: NOW_MS },
    stdin: Readable.from([Buffer.from(input)]),
    ask: async () => undefined,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const lines = (...payloads: readonly unknown[]) =>
  payloads.map((payload) => `${JSON.stringify(payload)}\n`).join('');

describe('adopt', () => {
  const flat = lines(
    { device_id: 'pump-7', ts: 1767225600, temp: 21.5, level: '7.5' },
    { device_id: 'pump-8', ts: 1767225601, temp: 19, level: '8' },
    { device_id: 'pump-7', ts: 1767225602, temp: 22, level: '7' },
  );

  test('proposes a mapping with reasons, shows what it makes of the samples, and writes it', async () => {
    const { exitCode, stdout, stderr } = await adopt(['--name', 'pumps'], flat);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'wrote pumps.yaml; test it: npx twinstream adopt --test pumps.yaml -\n',
    });
    expect(stdout).toContain('- `device_id` names the device: 2 of them in 3 records\n');
    expect(stdout).toContain('- `ts` looks like epoch seconds: 1.8e9 rising\n');
    expect(stdout).toContain('- `level` is a text that holds a number: it becomes one\n');
    expect(stdout).toContain('3 records, 3 events, 2 devices, 0 rejected, 0 ignored\n');
    expect(stdout).toMatch(/pump-7 +2 +2026-01-01T00:00:02\.000Z +temp=22 level=7\n/);
    const written = await readFile(join(folder, 'pumps.yaml'), 'utf8');
    expect(stdout).toContain(written);
    // Beside the user's file there is no schema.
    expect(written).not.toContain('$schema');
  });

  test('takes the member that it is told for the device, where none looks like one or another does', async () => {
    const named = lines(
      { where: { hall: 'a' }, ts: 1767225600, temp: 21.5 },
      { where: { hall: 'b' }, ts: 1767225601, temp: 19 },
    );
    const { exitCode, stdout } = await adopt(['--id', 'where.hall', '--write', 'halls.yaml'], named);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('- `where.hall` names the device: 2 of them in 2 records\n');
    expect(stdout).toMatch(/^a +1 /m);
    const other = await adopt(['--id', 'ts', '--write', 'other.yaml'], flat);
    expect(other.stdout).toContain('- `ts` names the device: 3 of them in 3 records\n');
  });

  test('tests a mapping: events on standard output as they would be stored, the rest beside it', async () => {
    await adopt(['--name', 'pumps'], flat);
    const { exitCode, stdout, stderr } = await adopt(
      ['--test', 'pumps.yaml'],
      `${flat}\n{"other":1}\nno JSON\n`,
    );
    expect(exitCode).toBe(1);
    expect(stdout.trimEnd().split('\n')[1]).toBe(
      '{"v":1,"deviceId":"pump-8","type":"reported","time":"2026-01-01T00:00:01.000Z","mapping":{"name":"pumps","version":1},"data":{"temp":19,"level":8}}',
    );
    expect(stderr).toContain('5 records, 3 events, 2 devices, 2 rejected, 0 ignored\n');
    expect(stderr).toContain('line 5: unmapped-value: rules.records.event.deviceId: missing\n');
    expect(stderr).toContain('line 6: undecodable-payload: the bytes are not json\n');
  });

  test.each([
    'aws-iot-rule',
    'azure-iot',
    'chirpstack-v4',
    'cloudevents',
    'gtfs-realtime',
    'home-assistant-mqtt',
    'senml',
    'sparkplug-b',
    'the-things-stack',
  ])('knows the format of the ready-made mapping %s', async (name) => {
    const { exitCode, stdout } = await adopt([join(SAMPLES, `${name}.ndjson`)]);
    expect(stdout).toContain(`- every record is of the format of the ready-made mapping ${name}\n`);
    expect(exitCode).toBe(0);
  });

  test.each<[string, string, readonly string[], RegExp]>([
    [
      'the part of a topic that tells devices apart',
      lines(
        { topic: 'site/a1/up', at: '2026-01-01T00:00:00Z', x: 1 },
        { topic: 'site/a2/up', at: '2026-01-01T00:00:01Z', x: 2 },
      ),
      ['part 2 of `topic` names the device: 2 of them in 2 records', '`at` is ISO 8601 with an offset'],
      /a2 +1 +2026-01-01T00:00:01Z +x=2/,
    ],
    [
      'an array of readings beside the device',
      lines({
        gateway: { serial: 'g-1' },
        readings: [
          { t: 1767225600000, c: 1 },
          { t: 1767225600500, c: 2 },
        ],
      }),
      ['each element of `readings` becomes one event', '`t` looks like epoch milliseconds: 1.8e12 rising'],
      /g-1 +2 +2026-01-01T00:00:00\.500Z +c=2/,
    ],
    [
      'names and values',
      lines(
        { dev: 'a', device: 'a', metric: 'temp', value: 21.5 },
        { dev: 'a', device: 'a', metric: 'hum', value: 40 },
      ),
      [
        '`metric` names an attribute and `value` is its value',
        'no member looks like a time: the arrival of the record counts',
      ],
      /a +2 +2026-01-01T00:10:00\.000Z +temp=21\.5 hum=40/,
    ],
    [
      'a counter that wraps',
      lines({ imei: 3, seq: 254, x: 1 }, { imei: 3, seq: 255, x: 2 }, { imei: 3, seq: 256, x: 3 }),
      ['`seq` rises by one: session and counter are derived from it, wrapping at 16 bits; edit `bits`'],
      /3 +3 /,
    ],
    [
      'session and counter',
      lines({ imei: 3, boot: 2, seq: 1, x: 1 }, { imei: 3, boot: 2, seq: 2, x: 2 }),
      ['`boot` and `seq` count the events: duplicates and gaps are told exactly'],
      /3 +2 +.* x=2/,
    ],
    [
      'nested members and local times',
      lines(
        { meta: { 'dev.id': 'n1', when: '2026-01-01 00:00:00' }, data: { t: { in: 1 } } },
        { meta: { 'dev.id': 'n1', when: '2026-01-01 00:00:01' }, data: { t: { in: 2 } } },
      ),
      ['`meta.when` is ISO 8601 without an offset: UTC is assumed, edit `offset` if it is local time'],
      /n1 +2 +2026-01-01T00:00:01Z +data\.t\.in=2\n/,
    ],
  ])('finds %s', async (_, input, reasons, row) => {
    const { exitCode, stdout, stderr } = await adopt([], input);
    for (const reason of reasons) expect(stdout).toContain(`- ${reason}\n`);
    expect(stdout).toMatch(row);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'wrote fleet.yaml; test it: npx twinstream adopt --test fleet.yaml -\n',
    });
  });

  test.each<[string, string, string]>([
    [
      'a member with a point beside a list',
      '{"device.id":"x","readings":[{"t":1}]}',
      '1 records, 1 events, 1 device,',
    ],
    ['a list with a point', '{"a.b":[{"id":"x","t":1},{"id":"y","t":2}]}', '1 records, 2 events, 2 devices,'],
    ['a list with a dollar sign', '{"$x":[{"id":"x","t":1}]}', '1 records, 1 events, 1 device,'],
  ])('a proposal maps its own samples: %s', async (title, sample, counts) => {
    const ended = await adopt(['--write', `${title.replaceAll(' ', '-')}.yaml`], `${sample}\n`);
    expect(ended.stderr).toContain('wrote');
    expect(ended.stdout.replace('1 record,', '1 records,').replace('1 event,', '1 events,')).toContain(
      counts,
    );
    expect(ended.stdout).toContain('0 rejected');
  });

  test.each([
    ['an empty name', '{"id":"x","":"12","t":1}'],
    ['a name of 300 characters', `{"id":"x","${'n'.repeat(300)}":"1","t":1}`],
  ])(
    'a proposal leaves a member that no attribute may be called to the rejections: %s',
    async (title, sample) => {
      const ended = await adopt(['--write', `${title.replaceAll(' ', '-')}.yaml`], `${sample}\n`);
      expect(ended.exitCode).toBe(1);
      expect(ended.stdout).toContain('line 1: invalid-attribute-name');
    },
  );

  test('a mapping is proposed beside a line that is broken, which is named as rejected', async () => {
    const good = [1, 2].map((second) => `{"device":"d","time":${1_767_225_600 + second},"x":1}\n`).join('');
    const ended = await adopt(['--write', 'beside.yaml'], `${good}not json\n`);
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toContain('3 records, 2 events, 1 device, 1 rejected');
    expect(ended.stdout).toContain('line 3: undecodable-payload');
  });

  test.each<[string, readonly string[], string, number, RegExp]>([
    ['no records', [], '\n', 2, /^there are no records/],
    ['no JSON', [], 'a,b\n1,2\n', 3, /SAMPLES_NOT_JSON.*no line is JSON/],
    ['nothing that names a device', [], '{"x":1}\n', 3, /NO_MAPPING_PROPOSED.*name it by --id; there are: x/],
    [
      'a member that no record has',
      ['--id', 'y'],
      '{"x":1}\n',
      3,
      /--id y: no record has this member; there are: x/,
    ],
    ['no such file', ['none.ndjson'], '', 2, /^cannot read none\.ndjson/],
    ['a mapping with faults', ['--test', 'bad.yaml'], '{"x":1}\n', 2, /bad\.yaml has faults:\n {2}rules: /],
    ['an existing file', ['--write', 'bad.yaml'], '{"device":1,"x":1}\n', 3, /FILE_EXISTS/],
  ])('refuses %s', async (_, argv, input, exitCode, message) => {
    await writeFile(join(folder, 'bad.yaml'), 'language: 1\nmapping: bad\nversion: 1\n');
    const ended = await adopt(argv, input);
    expect(ended.stderr).toMatch(message);
    expect(ended.exitCode).toBe(exitCode);
  });
});
