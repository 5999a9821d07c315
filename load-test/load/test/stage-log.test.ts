import { expect, test } from 'vitest';
import { stageLog } from '../src/stage-log.ts';

test('adds up the summaries of batches by stage and second, and keeps what is out of the ordinary', () => {
  const log = stageLog();
  const line = (fields: object) =>
    log.take(JSON.stringify({ level: 30, time: '2026-01-01T00:00:01.500Z', ...fields }));
  const projected = {
    name: 'state-projector',
    msg: 'batch',
    pages: 3,
    writeUnits: 6,
  };
  line({ ...projected, applied: 20, late: 1, duplicates: 5 });
  line({ ...projected, applied: 9, late: 0, time: '2026-01-01T00:00:02.100Z' });
  line({ name: 'event-archiver', msg: 'batch archived', events: 30, packs: 1 });
  line({ name: 'event-archiver', msg: 'batch archived in part', level: 40, events: 1, packs: 1 });
  log.take('Segmentation fault');
  log.take('{"broken');
  expect(log.totals['state-projector']).toMatchObject({ events: 30, pages: 6, writeUnits: 12 });
  const second = Date.parse('2026-01-01T00:00:01Z') / 1_000;
  expect([...log.totals['state-projector'].eventsBySecond]).toEqual([
    [second, 21],
    [second + 1, 9],
  ]);
  expect(log.totals['event-archiver'].events).toBe(31);
  expect([...log.warnings]).toEqual([['event-archiver: batch archived in part', 1]]);
  expect(log.otherLines).toEqual(['Segmentation fault', '{"broken']);
  log.restart();
  expect(log.totals['state-projector'].events).toBe(0);
});
