import { get } from 'node:http';
import type { Updates } from '@twinstream/api-contract';
import { createParser } from 'eventsource-parser';

/** What one client of `/v1/updates` has been told. */
export interface UpdateClient {
  /** By device, the counter of the last state it got. */
  readonly counters: ReadonlyMap<string, number>;
  /** Devices of others that it was told of. */
  readonly strangers: number;
  readonly updates: number;
  close(): void;
}

export interface UpdateClientOptions {
  readonly url: string;
  readonly query: string;
  /** Whether a device is one of those it asked for. */
  readonly isMine: (deviceId: string) => boolean;
  /** Called with the age of each update when it gets here, in milliseconds since its arrival in the stream. */
  readonly onUpdate: (ageMs: number) => void;
}

/** Opens an update stream and resolves when it has begun. */
export function openUpdates({ url, query, isMine, onUpdate }: UpdateClientOptions): Promise<UpdateClient> {
  const counters = new Map<string, number>();
  const request = get(`${url}/v1/updates?${query}`, { agent: false });
  const client = { counters, strangers: 0, updates: 0, close: () => request.destroy() };

  function take(data: string): void {
    const { deviceId, version, lastArrivalTime } = JSON.parse(data) as Updates['device'];
    client.updates += 1;
    if (!isMine(deviceId)) client.strangers += 1;
    if (version !== null) counters.set(deviceId, version.counter);
    if (lastArrivalTime !== null) onUpdate(Date.now() - Date.parse(lastArrivalTime));
  }

  return new Promise((resolve, reject) => {
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === 'device') take(data);
        else if (event === 'sync') resolve(client);
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (chunk: string) => parser.feed(chunk));
    });
  });
}
