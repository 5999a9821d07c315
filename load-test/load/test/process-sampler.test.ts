import { describe, expect, test } from 'vitest';
import {
  familyOf,
  type ProcessReading,
  parsePsLine,
  processLister,
  processName,
  processSampler,
} from '../src/process-sampler.ts';

const reading = (pid: number, parentPid: number, cpuSeconds = 0, name = 'node'): ProcessReading => ({
  pid,
  parentPid,
  cpuSeconds,
  residentBytes: 1_000,
  command: ['node', 'x.ts', '--name', name],
});

describe('processes', () => {
  test('are named by the name they were given, their workspace or their entry file', () => {
    const node = ['/usr/bin/node', '--import', 'file:///a/end-with-parent.ts'];
    expect(processName([...node, '/a/function-host.ts', '--name', 'state-projector'])).toBe(
      'state-projector',
    );
    expect(processName([...node, '/a/consumers/query-api/src/main.ts'])).toBe('query-api');
    expect(processName(['node', '/a/dynalite-main.ts', '--port', '0'])).toBe('dynalite');
    expect(processName(['node', '/a/pipeline/start.ts', '--port', '0'])).toBe('supervisor');
    expect(processName(['java', '-jar', 'DynamoDBLocal.jar'])).toBe('dynamodb');
  });

  test('of a family are its root, its children and theirs, and nobody else', () => {
    const all = [reading(4, 3), reading(1, 0), reading(2, 1), reading(3, 2), reading(9, 0)];
    expect(familyOf(all, 1).map(({ pid }) => pid)).toEqual([1, 2, 3, 4]);
  });

  test('are read from ps where there is no /proc', () => {
    expect(parsePsLine('  812   1 20480  1-02:03:04.50 node main.ts')).toEqual({
      pid: 812,
      parentPid: 1,
      residentBytes: 20_480 * 1_024,
      cpuSeconds: 93_784.5,
      command: ['node', 'main.ts'],
    });
    expect(parsePsLine('7 1 100 0:01 launchd')).toMatchObject({ cpuSeconds: 1 });
    expect(parsePsLine('')).toBeUndefined();
  });

  test('add up by name across restarts, from the first look on', async () => {
    const looks = [
      [reading(1, 0, 100), reading(2, 1, 50, 'projector')],
      [reading(1, 0, 101), reading(2, 1, 52, 'projector')],
      // Killed and started again: the new one has taken half a second so far.
      [reading(1, 0, 101), reading(3, 1, 0.5, 'projector')],
    ];
    let time = 0;
    const sampler = processSampler({ list: async () => looks[time++] ?? [], now: () => time, rootPid: 1 });
    for (const _ of looks) await sampler.sample();
    const seconds = (name: string) =>
      sampler.samples.filter((sample) => sample.name === name).map(({ cpuSeconds }) => cpuSeconds);
    expect(seconds('projector')).toEqual([0, 2, 2.5]);
    expect(seconds('load-test')).toEqual([0, 1, 1]);
  });

  test('of this machine include this one, with memory', async () => {
    const own = (await processLister()()).find(({ pid }) => pid === process.pid);
    expect(own?.parentPid).toBe(process.ppid);
    expect(own?.residentBytes).toBeGreaterThan(10_000_000);
  });
});
