export {
  type CompileOptions,
  compileMappings,
  type InvalidMappings,
  parseMappingText,
  readMapping,
} from './compile-mapping.ts';
export { MAPPING_LIMITS, RECORD_LIMITS } from './limits.ts';
export { mappingDecoder } from './mapping-decoder.ts';
export { type MappingDocument, mappingJsonSchema } from './mapping-document.ts';
export type { DocumentFault } from './mapping-fault.ts';
export {
  mappingPlaces,
  type OpenMappingsOptions,
  openMappings,
  openMappingVersions,
} from './open-mappings.ts';
export type { PayloadCodec } from './payload-format.ts';
export type {
  MappedEvent,
  MappedRecord,
  MappingRejection,
  MappingVersion,
  PayloadMapper,
  SourceRecord,
} from './payload-mapper.ts';
export type { PayloadObject, PayloadValue } from './payload-value.ts';
