export { type DamageReason, type DecodedRecord, decodeRecord } from './aggregation-decoder.ts';
export { type AggregateBuilder, createAggregateBuilder, encodeAggregate } from './aggregation-encoder.ts';
export {
  AGGREGATE_ENVELOPE_BYTES,
  AGGREGATE_MAGIC,
  type AggregatedUserRecord,
  type UserRecordTag,
} from './aggregation-format.ts';
