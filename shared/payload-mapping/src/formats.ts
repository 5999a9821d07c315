import type { FileRegistry } from '@bufbuild/protobuf';
import { protobufCodec, readDescriptorSet } from './decode-protobuf.ts';
import type { FormatSpec } from './mapping-document.ts';
import { InvalidDocument } from './mapping-fault.ts';
import {
  boundedDecoder,
  cborCodec,
  type Decode,
  jsonCodec,
  ndjsonCodec,
  type PayloadCodec,
} from './payload-format.ts';

/** Codecs of the application by the name that mappings use. */
export type Codecs = ReadonlyMap<string, PayloadCodec>;

/** The formats that one mapping may name. */
export interface Formats {
  /** Throws InvalidDocument where there is no such descriptor set, message or codec. */
  decoder(spec: FormatSpec, gzip: boolean, at: string): Decode;
}

const BUILT_IN = { json: jsonCodec, ndjson: ndjsonCodec, cbor: cborCodec } as const;

/** One name for each format, so that mappings of the same format decode a record once. */
export function formatName(spec: FormatSpec): string {
  if (typeof spec === 'string') return spec;
  return 'codec' in spec ? `codec ${spec.codec}` : `protobuf ${spec.protobuf.message}`;
}

/** @param descriptorSets protobuf types in base64, by the name that the mapping uses */
export function openFormats(codecs: Codecs, descriptorSets: Readonly<Record<string, string>> = {}): Formats {
  const opened = new Map<string, FileRegistry>();
  const typesOf = (name: string, at: string): FileRegistry => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const base64 = Object.hasOwn(descriptorSets, name) ? descriptorSets[name] : undefined;
    if (base64 === undefined) throw new InvalidDocument(at, `no descriptor set "${name}"`);
    let types: FileRegistry;
    try {
      types = readDescriptorSet(Buffer.from(base64, 'base64'));
    } catch {
      throw new InvalidDocument(at, `the descriptor set "${name}" is not one`);
    }
    opened.set(name, types);
    return types;
  };
  const codecOf = (spec: FormatSpec, at: string): PayloadCodec => {
    if (typeof spec === 'string') return BUILT_IN[spec];
    if ('codec' in spec) {
      const codec = codecs.get(spec.codec);
      if (codec === undefined) throw new InvalidDocument(at, `no codec "${spec.codec}"`);
      return codec;
    }
    const { descriptorSet, message } = spec.protobuf;
    const codec = protobufCodec(typesOf(descriptorSet, at), message);
    if (codec === undefined) throw new InvalidDocument(at, `no message "${message}" in "${descriptorSet}"`);
    return codec;
  };
  return {
    decoder: (spec, gzip, at) => boundedDecoder(codecOf(spec, at), formatName(spec), gzip),
  };
}
