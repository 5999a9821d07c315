import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isJsonObject, readEvent } from '@twinstream/device-model';
import type { LedgerEntry } from '@twinstream/device-simulator';
import type { SentEvent } from '@twinstream/verification';

/** What the simulator's ledgers say that it sent: acknowledged events, and those of which nobody knows. */
export async function* sentEvents(...ledgerFiles: readonly string[]): AsyncGenerator<SentEvent> {
  for (const file of ledgerFiles) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const sent = sentEvent(JSON.parse(line));
      if (sent !== undefined) yield sent;
    }
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
