import { readFile } from 'node:fs/promises';
import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { compileMappings, type InvalidMappings, parseMappingText } from './compile-mapping.ts';
import type { Codecs } from './formats.ts';
import { mappingDecoder } from './mapping-decoder.ts';
import type { MappingDocument } from './mapping-document.ts';

export interface OpenMappingsOptions {
  /** Reads the text of an `s3://bucket/key`. Without it such places are refused. */
  readonly readObject?: (url: string) => Promise<string>;
  readonly codecs?: Codecs;
}

/** Places of mapping documents, files and `s3://` URLs, separated by commas, in the order in which they are tried. */
export function mappingPlaces(text: string): readonly string[] {
  return text
    .split(',')
    .map((place) => place.trim())
    .filter((place) => place !== '');
}

/**
 * Reads and compiles the mappings at these places, once. Without any, the decoder takes events of this project's own format
 * alone. Of a mapping in several versions the newest counts. Throws `MAPPING_UNREADABLE` where a place cannot be read, and
 * `INVALID_MAPPING` with every fault of the documents.
 */
export async function openMappings(
  places: readonly string[],
  options: OpenMappingsOptions = {},
): Promise<EntryDecoder> {
  const [newest] = await openMappingVersions(places, options);
  return newest;
}

/**
 * The same, with a decoder for each earlier version as well, the newest first: what a verification compares stored events
 * with that earlier versions have made.
 */
export async function openMappingVersions(
  places: readonly string[],
  options: OpenMappingsOptions = {},
): Promise<readonly [EntryDecoder, ...EntryDecoder[]]> {
  if (places.length === 0) return [ownFormatDecoder];
  const texts = await Promise.all(places.map((place) => readMappingText(place, options)));
  const documents: MappingDocument[] = [];
  const faults: string[] = [];
  for (const [index, text] of texts.entries()) {
    const document = parseMappingText(text);
    if ('faults' in document) faults.push(...faultLines(document).map((line) => `${places[index]}: ${line}`));
    else documents.push(document);
  }
  if (faults.length > 0) throw invalidMapping(faults);
  const [newest, ...earlier] = byVersion(documents).map((some) => compiled(some, options));
  return newest === undefined ? [ownFormatDecoder] : [newest, ...earlier];
}

/** The newest version of each mapping, then the one before it or the oldest that there is, and so on; in the order given. */
function byVersion(documents: readonly MappingDocument[]): readonly (readonly MappingDocument[])[] {
  const versions = new Map<string, MappingDocument[]>();
  for (const document of documents) {
    versions.set(document.mapping, [...(versions.get(document.mapping) ?? []), document]);
  }
  const all = [...versions.values()].map((some) => some.toSorted((a, b) => b.version - a.version));
  const twice = all.find((some) => some.some(({ version }, index) => version === some[index + 1]?.version));
  if (twice !== undefined) throw invalidMapping([`${twice[0]?.mapping}: a version is given twice`]);
  const ranks = Math.max(...all.map((some) => some.length));
  return Array.from({ length: ranks }, (_, rank) =>
    all.flatMap((some) => some[Math.min(rank, some.length - 1)] ?? []),
  );
}

function compiled(documents: readonly MappingDocument[], { codecs }: OpenMappingsOptions): EntryDecoder {
  const mapper = compileMappings(documents, codecs === undefined ? {} : { codecs });
  if ('faults' in mapper) throw invalidMapping(faultLines(mapper));
  return mappingDecoder(mapper);
}

async function readMappingText(place: string, { readObject }: OpenMappingsOptions): Promise<string> {
  try {
    if (!place.startsWith('s3://')) return await readFile(place, 'utf8');
    if (readObject === undefined) throw new RangeError('it must be a file');
    return await readObject(place);
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError('MAPPING_UNREADABLE', `mapping ${place} cannot be read: ${fault}`, { cause });
  }
}

function faultLines({ faults }: InvalidMappings): readonly string[] {
  return faults.map(({ at, message }) => (at === '' ? message : `${at}: ${message}`));
}

function invalidMapping(faults: readonly string[]): CodedError {
  return new CodedError('INVALID_MAPPING', `the mapping is invalid\n  ${faults.join('\n  ')}`);
}
