import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX, hourFolder } from '@twinstream/pipeline-settings';
import { type ArchiveWindow, s3ArchiveObjects } from '@twinstream/verification';
import { afterEach, describe, expect, test, vi } from 'vitest';

const HOUR_MS = 3_600_000;
const FROM = Date.parse('2026-11-23T05:10:00Z');
const TO = Date.parse('2026-11-23T09:50:00Z');

afterEach(() => vi.restoreAllMocks());

/** Keys that are listed for a window, of an archive with an object in every hour of three days. */
async function listed(window: ArchiveWindow): Promise<readonly string[]> {
  const keys = ['archive/'];
  for (let hour = -36; hour <= 36; hour += 1)
    keys.push(`${hourFolder(ARCHIVE_PREFIX, FROM + hour * HOUR_MS)}lines-1.gz`);
  keys.sort();
  const client = new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  vi.spyOn(client, 'send').mockImplementation((command: unknown) => {
    if (!(command instanceof ListObjectsV2Command)) throw new TypeError('only lists');
    const { StartAfter = '' } = command.input;
    const size = (key: string) => (key.endsWith('/') ? 0 : 1);
    return {
      Contents: keys.filter((key) => key > StartAfter).map((Key) => ({ Key, Size: size(Key) })),
    };
  });
  const objects = await Array.fromAsync(s3ArchiveObjects(client, 'bucket').list(window));
  return objects.map(({ key }) => key.split('/').slice(3, 5).join(' '));
}

const hoursFrom = (first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, hour) =>
    hourFolder(ARCHIVE_PREFIX, first * HOUR_MS + hour * HOUR_MS)
      .split('/')
      .slice(3, 5)
      .join(' '),
  );
const hourOf = (timeMs: number) => Math.floor(timeMs / HOUR_MS);

describe('objects of the archive', () => {
  test('are those from an hour before the window to 25 hours after its end, because delivery lags', async () => {
    expect(await listed({ fromMs: FROM, toMs: TO })).toEqual(hoursFrom(hourOf(FROM) - 1, hourOf(TO) + 25));
  });

  test('are all there are where the window has no bounds', async () => {
    expect(await listed({ fromMs: 0 })).toEqual(hoursFrom(hourOf(FROM) - 36, hourOf(FROM) + 36));
  });
});
