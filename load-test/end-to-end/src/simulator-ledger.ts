import { isJsonObject, readEvent } from '@twinstream/device-model';
import { type LedgerEntry, readLedger } from '@twinstream/device-simulator';
import type { Position } from '@twinstream/stream-model';
import type { SentEvent } from '@twinstream/verification';

/** What the simulator's ledgers say that it sent: acknowledged events, and events with an unknown outcome. */
export async function* sentEvents(...ledgerFiles: readonly string[]): AsyncGenerator<SentEvent> {
  for (const file of ledgerFiles) {
    for await (const entry of readLedger(file)) {
      const sent = sentEvent(entry);
      if (sent !== undefined) yield sent;
    }
  }
}

/** Where the ledgers say that something lies, malformed or not: {@link sentEvents} without reading the events. */
export async function* sentPositions(...ledgerFiles: readonly string[]): AsyncGenerator<Position> {
  for (const file of ledgerFiles) {
    for await (const { position } of readLedger(file)) if (position !== undefined) yield position;
  }
}

function sentEvent({
  deviceId,
  result,
  possiblyStored,
  position,
  event,
}: LedgerEntry): SentEvent | undefined {
  const isUncertain = result === 'failed' && possiblyStored === true;
  if (result !== 'acknowledged' && !isUncertain) return undefined;
  const fate = isUncertain ? 'uncertain' : 'acknowledged';
  const sent: SentEvent = { deviceId, fate, ...(position === undefined ? {} : { position }) };
  if (event === undefined) return sent;
  const read = isJsonObject(event) ? readEvent(event) : undefined;
  if (read === undefined || 'rejected' in read)
    throw new TypeError(`the ledger holds no event: ${JSON.stringify(event)}`);
  return { ...sent, event: read };
}
