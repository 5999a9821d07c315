import { eventStreamMessage } from './event-stream-message.ts';
import type { SubscriptionEvent } from './subscription-event.ts';
import type { WireFormat } from './wire-format.ts';

/**
 * Events as messages: first `initial-response`, which holds nothing, as protocols without a place for it in the headers
 * have it (Smithy 2.0, "Event streams", initial messages, read 2026-12); then each event, or the error with which they end.
 */
export async function* eventMessages(
  format: WireFormat,
  events: AsyncIterable<SubscriptionEvent>,
): AsyncGenerator<Buffer, void> {
  const eventHeaders = (type: string) => ({
    ':event-type': type,
    ':content-type': format.contentType,
    ':message-type': 'event',
  });
  yield eventStreamMessage(eventHeaders('initial-response'), format.write({}));
  for await (const event of events) {
    if (event.kind === 'records') {
      yield eventStreamMessage(eventHeaders('SubscribeToShardEvent'), format.writeRecords(event.records));
      continue;
    }
    const { code, message } = event.error;
    const headers = {
      ':exception-type': code,
      ':content-type': format.contentType,
      ':message-type': 'exception',
    };
    yield eventStreamMessage(headers, format.write({ message }));
  }
}
