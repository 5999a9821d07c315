import { describe, expect, test } from 'vitest';
import { loadCommand } from '../src/load-command.ts';
import { readLoadOptions } from '../src/load-options.ts';

function read(...argv: string[]) {
  const told: string[] = [];
  const tell = (text: string) => void told.push(text);
  try {
    return { options: readLoadOptions(argv, { out: tell, err: tell }), told: told.join('') };
  } catch (error) {
    return { error, told: told.join('') };
  }
}

describe('the command line', () => {
  test('has a load that is gentle when nothing is asked for', () => {
    expect(read().options).toMatchObject({
      scenario: 'steady',
      rate: 2_000,
      durationMs: 30_000,
      baseline: false,
    });
  });

  test('takes each default as its help shows it', () => {
    const withDefaults = loadCommand().options.filter(({ defaultValue }) => defaultValue !== undefined);
    expect(withDefaults.length).toBeGreaterThan(8);
    for (const { long, defaultValue, defaultValueDescription } of withDefaults) {
      const shown = defaultValueDescription ?? String(defaultValue);
      expect(read(long ?? '', shown).options, `${long} ${shown}`).toEqual(read().options);
    }
  });

  test('takes several bars, a soak by its length, and files', () => {
    const { options } = read(
      '--soak',
      '30m',
      '--expect',
      'p99Ms<2000',
      '--expect',
      'failed<=0',
      '--report',
      'a.html',
    );
    expect(options).toMatchObject({
      scenario: 'soak',
      durationMs: 1_800_000,
      expectations: [{ figure: 'p99Ms' }, { figure: 'failed' }],
      reportFile: 'a.html',
    });
    expect(read('--compare', 'a.json', 'b.json').options).toMatchObject({ files: ['a.json', 'b.json'] });
  });

  test('takes an outage by its length', () => {
    const { options } = read('--scenario', 'dynamodb-outage', '--duration', '7m', '--outage', '5m');
    expect(options).toMatchObject({ durationMs: 420_000, outageMs: 300_000 });
    expect(read('--scenario', 'dynamodb-outage').options).not.toHaveProperty('outageMs');
  });

  test.each([
    [['--scenario', 'storm'], 'steady'],
    [['--rate', '0'], 'from 1 to'],
    [['--duration', 'soon'], 'not a duration'],
    [['--expect', 'p98Ms<1'], 'the figures are'],
    [['--scenario', 'restart', '--baseline'], '--baseline'],
    [['--outage', '5s'], 'dynamodb-outage alone'],
    [['--scenario', 'dynamodb-outage', '--duration', '5m', '--outage', '5m'], 'shorter than --duration'],
    [['--scenario', 'dynamodb-outage', '--target', 'aws'], 'AWS fails no requests on demand'],
    [['--compare', 'a.json'], 'two files'],
    [['steady'], "'steady'"],
    [['--target', 'moon'], 'local'],
  ])('refuses %j and says why', (argv, why) => {
    const { error, told } = read(...argv);
    expect(error).toMatchObject({ exitCode: 1 });
    expect(told).toContain(why);
  });

  test('takes a load for a deployed pipeline, whose archive may lag for longer', () => {
    expect(read().options).toMatchObject({ target: 'local', archiveDeadlineMs: 120_000 });
    const { options } = read('--target', 'aws', '--scenario', 'reshard', '--expect', 'p99Ms<2000');
    expect(options).toMatchObject({ target: 'aws', isConfirmed: false, archiveDeadlineMs: 900_000 });
    expect(read('--target', 'aws', '--yes', '--archive-deadline', '20m').options).toMatchObject({
      isConfirmed: true,
      archiveDeadlineMs: 1_200_000,
    });
  });

  test.each([
    [['--scenario', 'throttle'], 'refuses no requests on demand'],
    [['--scenario', 'restart'], 'cannot be killed'],
    [['--soak', '30m'], 'faults of the local pipeline'],
    [['--shards', '4'], 'the deployment has its own'],
    [['--dynamodb', 'dynalite'], 'the deployment has its own'],
    [['--baseline'], 'deployed nowhere but here'],
    [['--find-rate'], 'a fresh deployment for each rate'],
    [['--expect', 'cpuSeconds<1'], 'cpuSeconds is not known: only the logs'],
    [['--expect', 'writeUnitsPerEvent<1'], 'only CloudWatch'],
  ])('refuses %j of a deployed pipeline and says why', (argv, why) => {
    expect(read(...argv).error).toBeUndefined();
    const { error, told } = read('--target', 'aws', ...argv);
    expect(error).toMatchObject({ exitCode: 1 });
    expect(told).toContain(why);
  });

  test('refuses everything that a deployed pipeline has not, in one message', () => {
    const { told } = read(
      '--target',
      'aws',
      '--shards',
      '4',
      '--scenario',
      'soak',
      '--expect',
      'memoryMaxMiB<1',
    );
    for (const name of ['--shards', 'soak', 'memoryMaxMiB']) expect(told).toContain(name);
  });
});
