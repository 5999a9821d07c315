import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readRecording } from '../../src/recording/open-recording.ts';
import { recordingSource } from '../../src/recording/recording-source.ts';
import { all } from '../sending/listed-source.ts';

const SAMPLE = fileURLToPath(new URL('../../samples/austin-buses.csv', import.meta.url));

test('the sample that README feeds is read whole, in order of time', async () => {
  const columns = { id: 'vehicle_id', time: 'timestamp' };
  const rejected: unknown[] = [];
  const source = recordingSource(readRecording({ path: SAMPLE, columns, offset: undefined }), {
    order: 'time',
    pace: { kind: 'max' },
    session: 1,
    onBadRow: (row) => void rejected.push(row),
  });
  const events = await all(source);
  expect(rejected).toEqual([]);
  expect(events).toHaveLength(443);
  expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).toSorted());
  expect(events.find(({ deviceId }) => deviceId === '2619')?.time).toBe('2017-03-21T05:00:31.000Z');
});
