import type { DeliveryStream } from '@twinstream/event-archiver';
import { describe, expect, test } from 'vitest';

/** A delivery stream that takes everything, and what it has taken. */
export interface OpenDeliveryStream {
  readonly deliveryStream: DeliveryStream;
  readonly delivered: () => readonly Uint8Array[];
}

const KIB = 1024;

/** What every delivery stream must do. */
export function describeDeliveryStream(name: string, open: () => OpenDeliveryStream): void {
  describe(`delivery stream: ${name}`, () => {
    test('delivers what it takes, byte for byte, in the order of the request', async () => {
      const { deliveryStream, delivered } = open();
      const records = [Buffer.from('{"a":1}\n'), Buffer.from([0, 255, 10]), Buffer.from('ü\n')];
      expect(await deliveryStream.put(records)).toEqual([]);
      expect(delivered().map((record) => Buffer.from(record))).toEqual(records);
    });

    test('takes 500 records, and a record of 1,000 KiB', async () => {
      const { deliveryStream, delivered } = open();
      expect(await deliveryStream.put(Array.from({ length: 500 }, () => Buffer.from('x\n')))).toEqual([]);
      expect(await deliveryStream.put([Buffer.alloc(1_000 * KIB, 'x')])).toEqual([]);
      expect(delivered().length).toBe(501);
    });

    test.each([
      ['no record', []],
      ['501 records', Array.from({ length: 501 }, () => Buffer.from('x'))],
      ['a record beyond 1,000 KiB', [Buffer.alloc(1_000 * KIB + 1)]],
      ['a request beyond 4 MiB', Array.from({ length: 5 }, () => Buffer.alloc(1_000 * KIB))],
    ])('refuses %s, and delivers nothing', async (_, records) => {
      const { deliveryStream, delivered } = open();
      await expect(deliveryStream.put(records)).rejects.toMatchObject({
        code: 'DELIVERY_REFUSED',
        retryable: false,
      });
      expect(delivered()).toEqual([]);
    });

    test('rejects with the reason of an aborted signal, and delivers nothing', async () => {
      const { deliveryStream, delivered } = open();
      const reason = new Error('out of time');
      await expect(deliveryStream.put([Buffer.from('x')], AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(delivered()).toEqual([]);
    });
  });
}
