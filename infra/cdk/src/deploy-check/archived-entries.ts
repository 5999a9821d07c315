import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { type ArchivedEntry, readArchiveLine } from '@twinstream/stream-model';

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** Every line of the archive, read. The emulator leaves objects uncompressed, whatever the delivery stream says. */
export async function* archivedEntries(client: S3Client, bucket: string): AsyncGenerator<ArchivedEntry> {
  const input = { Bucket: bucket, Prefix: ARCHIVE_PREFIX };
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, input)) {
    for (const { Key } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const bytes = stored.subarray(0, 2).equals(GZIP_MAGIC) ? gunzipSync(stored) : stored;
      const lines = bytes.toString().split('\n');
      for (const line of lines) if (line !== '') yield readArchiveLine(line);
    }
  }
}
