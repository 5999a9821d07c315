import type { Clock } from '@twinstream/runtime';
import type { FleetChange } from './fleet-rows.ts';
import type { FleetSnapshot, FleetView } from './fleet-view.ts';
import { encodeResumeToken } from './resume-token.ts';
import {
  type Client,
  changesText,
  createGroup,
  type Group,
  isMine,
  remember,
  rememberFirst,
  type ToldChange,
  toldChange,
} from './update-group.ts';
import { retryMessage, syncMessage } from './update-message.ts';
import type { UpdateQuery, UpdateSink, UpdateStream } from './update-stream.ts';

/** Tells any number of clients of changes, each of those it asked for. Clients that ask for the same share the work. */
export interface UpdateHub {
  /** Streams that are open now. */
  readonly clientCount: number;
  /** Undefined when as many are open as there may be. */
  open(query: UpdateQuery, snapshot: FleetSnapshot, sink: UpdateSink): UpdateStream | undefined;
  /** Ends all streams; their clients come back with what they have seen. */
  close(): void;
}

export interface UpdateHubOptions {
  readonly fleet: Pick<FleetView, 'watch'>;
  readonly clock: Clock;
  /** Default 2,000. */
  readonly clientsMax?: number;
  /** Silence after which a client is told that all is well, in milliseconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /** Time after which a client comes back by itself, in milliseconds. Default 2,000. */
  readonly retryMs?: number;
  /** Streams end after this time, in milliseconds; where a driver cannot hold one open it is 0. Default: never. */
  readonly holdMs?: number;
}

/** Changes that are sent to a client together when it has fallen behind. */
const SLICE_CHANGES = 200;

const utf8 = new TextEncoder();

export function createUpdateHub(options: UpdateHubOptions): UpdateHub {
  return new SharedUpdateHub(options);
}

const DEFAULTS = { clientsMax: 2_000, heartbeatMs: 10_000, retryMs: 2_000 } as const;
type WithDefaults = UpdateHubOptions & Required<Pick<UpdateHubOptions, keyof typeof DEFAULTS>>;

class SharedUpdateHub implements UpdateHub {
  readonly #options: WithDefaults;
  readonly #groups = new Map<string, Group>();
  #clientCount = 0;
  #latest: FleetSnapshot | undefined;
  #unwatch: (() => void) | undefined;
  #beating: AbortController | undefined;

  constructor(options: UpdateHubOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  get clientCount(): number {
    return this.#clientCount;
  }

  open(query: UpdateQuery, snapshot: FleetSnapshot, sink: UpdateSink): UpdateStream | undefined {
    const { clientsMax, clock, retryMs, holdMs } = this.#options;
    if (this.#clientCount >= clientsMax) return undefined;
    const group = this.#groupOf(query);
    const now = clock.now();
    const client: Client = { sink, openTime: now, pending: new Map(), hasRoom: true, writeTime: now };
    group.clients.add(client);
    this.#clientCount += 1;
    this.#wakeUp();
    this.#latest = snapshot;
    rememberFirst(client, query, snapshot);
    const sync = client.pending.size === 0 ? syncOf(snapshot) : '';
    this.#write(client, utf8.encode(retryMessage(retryMs) + sync));
    this.#drain(group, client);
    if (holdMs === 0) this.#beat();
    return {
      resume: () => {
        client.hasRoom = true;
        this.#drain(group, client);
        if (holdMs === 0) this.#beat();
      },
      end: () => this.#leave(group, client),
    };
  }

  close(): void {
    for (const [group, client] of this.#clients()) {
      client.sink.close();
      this.#leave(group, client);
    }
  }

  #groupOf(query: UpdateQuery): Group {
    const key = JSON.stringify([query.filter, query.fields?.names]);
    const group = this.#groups.get(key) ?? createGroup(query);
    this.#groups.set(key, group);
    return group;
  }

  /** All of them, also when some leave meanwhile. */
  #clients(): (readonly [Group, Client])[] {
    return [...this.#groups.values()].flatMap((group) =>
      [...group.clients].map((client) => [group, client] as const),
    );
  }

  #hear(changes: readonly FleetChange[], snapshot: FleetSnapshot): void {
    this.#latest = snapshot;
    for (const group of [...this.#groups.values()]) this.#hearGroup(group, changes, snapshot);
    this.#beat();
  }

  #hearGroup(group: Group, changes: readonly FleetChange[], snapshot: FleetSnapshot): void {
    const told = changes.map((change) => toldChange(group, change));
    const mine = told.filter(({ wasMine, after }) => wasMine === true || isMine(group, after));
    // One text serves all that keep up.
    let bytes: Uint8Array | undefined;
    for (const client of [...group.clients]) {
      if (client.hasRoom && client.pending.size === 0) {
        if (mine.length === 0) continue;
        bytes ??= utf8.encode(changesText(group, mine) + syncOf(snapshot));
        this.#write(client, bytes);
      } else {
        for (const change of mine) remember(client, change);
        this.#drain(group, client);
      }
    }
  }

  #write(client: Client, bytes: Uint8Array): void {
    client.writeTime = this.#options.clock.now();
    client.hasRoom = client.sink.write(bytes);
  }

  /** Sends what a client has not been told of, as far as it keeps up. */
  #drain(group: Group, client: Client): void {
    const latest = this.#latest;
    if (latest === undefined) return;
    while (client.hasRoom && client.pending.size > 0) {
      const slice: ToldChange[] = [];
      for (const [deviceId, wasMine] of client.pending) {
        if (slice.length === SLICE_CHANGES) break;
        client.pending.delete(deviceId);
        slice.push({ deviceId, wasMine, after: latest.shown(deviceId) });
      }
      const sync = client.pending.size === 0 ? syncOf(latest) : '';
      const text = changesText(group, slice) + sync;
      if (text !== '') this.#write(client, utf8.encode(text));
    }
  }

  /** Ends streams whose time is over, and tells the others that all is well where nothing else was told for a while. */
  #beat(): void {
    const { clock, heartbeatMs, holdMs = Number.POSITIVE_INFINITY } = this.#options;
    const now = clock.now();
    let bytes: Uint8Array | undefined;
    for (const [group, client] of this.#clients()) {
      if (this.#latest === undefined || client.pending.size > 0) continue;
      if (now - client.openTime >= holdMs) {
        client.sink.close();
        this.#leave(group, client);
      } else if (now - client.writeTime >= heartbeatMs && client.hasRoom) {
        bytes ??= utf8.encode(syncOf(this.#latest));
        this.#write(client, bytes);
      }
    }
  }

  #leave(group: Group, client: Client): void {
    if (!group.clients.delete(client)) return;
    this.#clientCount -= 1;
    if (group.clients.size === 0) {
      for (const [key, known] of this.#groups) if (known === group) this.#groups.delete(key);
    }
    if (this.#clientCount === 0) this.#sleep();
  }

  #wakeUp(): void {
    if (this.#unwatch !== undefined) return;
    this.#unwatch = this.#options.fleet.watch((changes, snapshot) => this.#hear(changes, snapshot));
    this.#beating = new AbortController();
    void this.#keepBeating(this.#beating.signal);
  }

  /** Heartbeats go on where the fleet cannot be read: the client sees by `asOf` how old its knowledge is. */
  async #keepBeating(signal: AbortSignal): Promise<void> {
    const { clock, heartbeatMs } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(heartbeatMs / 2, signal).catch(() => undefined);
      this.#beat();
    }
  }

  #sleep(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#beating?.abort();
    this.#latest = undefined;
  }
}

function syncOf(snapshot: FleetSnapshot): string {
  return syncMessage(snapshot, encodeResumeToken(snapshot.resumePoint));
}
