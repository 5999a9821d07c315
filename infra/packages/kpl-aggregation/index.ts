/** The aggregation format of the Kinesis Producer Library (KPL): many user records in one Kinesis record. */
export {
  AGGREGATE_ENVELOPE_BYTES,
  AGGREGATE_MAGIC,
  type AggregateBuilder,
  type AggregatedUserRecord,
  createAggregateBuilder,
  type DamageReason,
  type DecodedRecord,
  decodeRecord,
  encodeAggregate,
  type UserRecord,
  type UserRecordTag,
} from '@twinstream/stream-model';
