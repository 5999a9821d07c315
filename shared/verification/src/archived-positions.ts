import type { S3Client } from '@aws-sdk/client-s3';
import type { Position } from '@twinstream/stream-model';
import { s3ArchiveObjects } from './archive-objects.ts';
import { archivedLines } from './archived-lines.ts';

/** Positions of all archive lines; one that was delivered twice comes twice. Throws where anything foreign lies there. */
export async function* archivedPositions(client: S3Client, bucket: string): AsyncGenerator<Position> {
  for await (const { entry } of archivedLines(s3ArchiveObjects(client, bucket), { fromMs: 0 })) yield entry;
}
