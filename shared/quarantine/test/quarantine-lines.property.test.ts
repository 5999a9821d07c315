import { REJECTION_REASONS } from '@twinstream/device-model';
import { decodeQuarantinedRecord, encodeQuarantinedRecord } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const entry = fc.record({
  reason: fc.constantFrom(...REJECTION_REASONS),
  detail: fc.string({ unit: 'binary' }),
  subSequenceNumber: fc.nat(),
  partitionKey: fc.string({ unit: 'binary' }),
  data: bytes,
});
const record = fc.record({
  shardId: fc.constantFrom(shardId('shardId-000000000000'), shardId('x-1')),
  sequenceNumber: fc.bigInt({ min: 0n, max: 10n ** 60n }).map((number) => sequenceNumber(`${number}`)),
  arrivalTime: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
  partitionKey: fc.string({ unit: 'binary' }),
  data: bytes,
  entries: fc.array(entry, { minLength: 1, maxLength: 4 }),
});

test('whatever record is put into lines comes back out of them, byte for byte', () => {
  fc.assert(
    fc.property(record, (quarantined) => {
      const text = encodeQuarantinedRecord(quarantined);
      expect(text.split('\n').length).toBe(quarantined.entries.length + 1);
      expect(decodeQuarantinedRecord(text, 'key')).toEqual(quarantined);
    }),
  );
});
