import {
  COMPLETE_RECEIPT_LIMITS,
  type Receipts,
  receive,
  receiveCorrection,
  type StoredEvent,
} from '@twinstream/device-model';

/** Enters one more stored event into complete receipts, in place: they forget nothing. */
export function enterReceipt(receipts: Receipts, { event, version }: StoredEvent): void {
  if (event.identity !== undefined) receive(receipts, event.identity, COMPLETE_RECEIPT_LIMITS);
  if (event.correction === undefined) return;
  const { session, counter, ordinal, revision } = version;
  const { correctionId } = event.correction;
  receiveCorrection(receipts, { correctionId, session, counter, ordinal, revision }, COMPLETE_RECEIPT_LIMITS);
}
