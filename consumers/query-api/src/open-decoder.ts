import { readS3Text, s3Client } from '@twinstream/aws/s3';
import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';

/** Decodes as the projector does: with its mapping documents (`TWINSTREAM_MAPPING`), or this project's own format alone. */
export async function openDecoder(places: string | undefined): Promise<EntryDecoder> {
  if (places === undefined) return ownFormatDecoder;
  // The mapping language is loaded where a mapping is in use alone.
  const { mappingPlaces, openMappings } = await import('@twinstream/payload-mapping');
  const s3 = s3Client();
  try {
    return await openMappings(mappingPlaces(places), { readObject: (url) => readS3Text(s3, url) });
  } finally {
    s3.destroy();
  }
}
