import { connect, type Socket } from 'node:net';
import type { Updates } from '@twinstream/api-contract';

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

const DEVICE = 'event: device\ndata: ';

/** Opens an update stream and resolves when it has begun. */
export function openUpdates({ url, query, isMine, onUpdate }: UpdateClientOptions): Promise<UpdateClient> {
  const { hostname, port } = new URL(url);
  const counters = new Map<string, number>();
  const client = { counters, strangers: 0, updates: 0, close: () => socket.destroy() };
  let rest = '';
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.setEncoding('utf8');
  socket.write(`GET /v1/updates?${query} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);

  function take(line: string): void {
    const { deviceId, version, lastArrivalTime } = JSON.parse(line) as Updates['device'];
    client.updates += 1;
    if (!isMine(deviceId)) client.strangers += 1;
    if (version !== null) counters.set(deviceId, version.counter);
    if (lastArrivalTime !== null) onUpdate(Date.now() - Date.parse(lastArrivalTime));
  }

  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      rest += chunk;
      if (rest.includes('event: sync')) resolve(client);
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const at = rest.lastIndexOf(DEVICE, end);
        // A frame of the chunked encoding may stand before an event, never inside one that the server wrote at once.
        if (at >= 0) take(rest.slice(at + DEVICE.length, end));
        rest = rest.slice(end + 2);
      }
    });
  });
}
