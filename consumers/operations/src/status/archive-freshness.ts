import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';

/** Years, months, days, hours. */
const FOLDER_LEVELS = 4;
const LIST_PAGES_MAX = 100;

/** When the newest object of the archive was written, milliseconds since 1970; undefined where there is none. */
export async function archiveFreshness(
  client: S3Client,
  bucket: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  let folder = ARCHIVE_PREFIX;
  for (let level = 0; level < FOLDER_LEVELS; level += 1) {
    const folders: string[] = [];
    for await (const page of pages(client, bucket, { Prefix: folder, Delimiter: '/' }, signal)) {
      for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) folders.push(Prefix);
    }
    const last = folders.sort().at(-1);
    if (last === undefined) return undefined;
    folder = last;
  }
  let newest: number | undefined;
  for await (const page of pages(client, bucket, { Prefix: folder }, signal)) {
    for (const { LastModified } of page.Contents ?? []) {
      newest = Math.max(newest ?? 0, LastModified?.getTime() ?? 0);
    }
  }
  return newest;
}

async function* pages(
  client: S3Client,
  bucket: string,
  input: { readonly Prefix: string; readonly Delimiter?: string },
  signal: AbortSignal,
) {
  let token: string | undefined;
  for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
    const answer = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        ...input,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { abortSignal: signal },
    );
    yield answer;
    token = answer.NextContinuationToken;
    if (token === undefined) return;
  }
}
