import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { type Position, sequenceNumber, shardId } from '@twinstream/stream-model';

/** Where archive objects lie. */
export const ARCHIVE_PREFIX = 'archive/';

/** Folder of the objects that were delivered in an hour (UTC). Text order is time order. */
export function archiveHourFolder(timeMs: number): string {
  const [year, month, day, hour] = new Date(timeMs).toISOString().split(/[-T:]/);
  return `${ARCHIVE_PREFIX}year=${year}/month=${month}/day=${day}/hour=${hour}/`;
}

/** Every line of the archive, object by object in the order of their keys: not the order of positions. */
export async function* archiveTexts(
  client: S3Client,
  bucket: string,
  prefix = ARCHIVE_PREFIX,
): AsyncGenerator<string> {
  let ContinuationToken: string | undefined;
  do {
    const listing = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      }),
    );
    for (const { Key } of listing.Contents ?? []) {
      if (Key !== undefined) yield* objectLines(client, bucket, Key);
    }
    ContinuationToken = listing.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}

async function* objectLines(client: S3Client, bucket: string, key: string): AsyncGenerator<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) throw new TypeError(`${key} has no body to read`);
  for await (const line of createInterface({
    input: Body.pipe(createGunzip()),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line !== '') yield line;
  }
}

/** Positions of all archive lines; one that was delivered twice comes twice. */
export async function* archivedPositions(client: S3Client, bucket: string): AsyncGenerator<Position> {
  for await (const line of archiveTexts(client, bucket)) {
    const place = JSON.parse(line);
    yield {
      shardId: shardId(place.shardId),
      sequenceNumber: sequenceNumber(place.sequenceNumber),
      subSequenceNumber: place.subSequenceNumber,
    };
  }
}
