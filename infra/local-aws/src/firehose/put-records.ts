import { strictBase64 } from '../http/strict-base64.ts';
import { invalidArgument, ok, type Result, refused, validationError } from './firehose-error.ts';
import { BATCH_BYTES_MAX, BATCH_RECORDS_MAX, RECORD_BYTES_MAX } from './firehose-quotas.ts';

/** What PutRecord and PutRecordBatch are given. */
export interface PutInput {
  readonly streamName: string;
  readonly records: readonly Buffer[];
}

/** Reads `{DeliveryStreamName, Record}`. */
export function putRecordInput(input: unknown): Result<PutInput> {
  const { DeliveryStreamName, Record } = fieldsOf(input);
  if (typeof DeliveryStreamName !== 'string')
    return refused(validationError('deliveryStreamName', 'Member must not be null'));
  const data = recordData(Record, 'record');
  return data.kind === 'refused' ? data : ok({ streamName: DeliveryStreamName, records: [data.value] });
}

/** Reads `{DeliveryStreamName, Records}` and holds it against the limits of a request. */
export function putRecordBatchInput(input: unknown): Result<PutInput> {
  const { DeliveryStreamName, Records } = fieldsOf(input);
  if (typeof DeliveryStreamName !== 'string')
    return refused(validationError('deliveryStreamName', 'Member must not be null'));
  if (!Array.isArray(Records)) return refused(validationError('records', 'Member must not be null'));
  if (Records.length === 0) {
    return refused(validationError('records', 'Member must have length greater than or equal to 1'));
  }
  if (Records.length > BATCH_RECORDS_MAX) {
    return refused(
      validationError('records', `Member must have length less than or equal to ${BATCH_RECORDS_MAX}`),
    );
  }
  const records: Buffer[] = [];
  let bytes = 0;
  for (const [index, record] of Records.entries()) {
    const data = recordData(record, `records.${index + 1}.member`);
    if (data.kind === 'refused') return data;
    records.push(data.value);
    bytes += data.value.length;
  }
  if (bytes > BATCH_BYTES_MAX) return refused(invalidArgument('Records size exceeds 4 MB limit'));
  return ok({ streamName: DeliveryStreamName, records });
}

function recordData(record: unknown, field: string): Result<Buffer> {
  const { Data } = fieldsOf(record);
  if (typeof Data !== 'string') return refused(validationError(`${field}.data`, 'Member must not be null'));
  const data = strictBase64(Data);
  if (data === undefined) {
    return refused({ status: 400, name: 'SerializationException', message: `${field}.data is not base64` });
  }
  if (data.length > RECORD_BYTES_MAX) {
    return refused(
      validationError(`${field}.data`, `Member must have length less than or equal to ${RECORD_BYTES_MAX}`),
    );
  }
  return ok(data);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
