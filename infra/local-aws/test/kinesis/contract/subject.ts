import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
  PutRecordCommand,
  type Shard,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Something that claims to be Kinesis. */
export interface ContractSubject {
  readonly name: string;
  connect(): Promise<Connection>;
  /** Facts that do not hold for it, by their name, with the reason. */
  readonly skips: Readonly<Record<string, string>>;
  /** How long a stream may take to become ACTIVE and a record to become readable, in ms. */
  readonly patienceMs: number;
}

export interface Connection {
  /** One that does not retry, so that a refusal is seen. */
  readonly client: KinesisClient;
  close(): Promise<void>;
}

/** AWS allows 5 reads a second of a shard, and 20 questions a second about streams. */
const READ_PAUSE_MS = 210;
const ASK_PAUSE_MS = 55;

/** What a fact is told with. */
export interface Stage {
  readonly client: KinesisClient;
  /** A stream of this fact's own, ACTIVE; deleted afterwards. */
  stream(shardCount: number): Promise<string>;
  untilActive(streamName: string): Promise<void>;
  shards(streamName: string): Promise<readonly Shard[]>;
  /** Puts one record and answers where it went. */
  put(streamName: string, key: string, data?: string): Promise<{ ShardId: string; SequenceNumber: string }>;
  iterator(
    streamName: string,
    shardId: string,
    type: ShardIteratorType,
    start?: IteratorStart,
  ): Promise<string>;
  /** One GetRecords that was not refused for its rate. */
  read(iterator: string, limit?: number): Promise<GetRecordsOutput>;
  /** Reads on until so many records came or the shard ended; fails when neither happens in time. */
  readUntil(
    iterator: string,
    count: number,
  ): Promise<readonly { key: string; text: string; number: string }[]>;
  readonly patienceMs: number;
}

export interface IteratorStart {
  readonly StartingSequenceNumber?: string;
  readonly Timestamp?: Date;
}

/** Facts by their name. */
export type Facts = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** Tells all facts of one subject. A skip that names no fact fails. */
export function tellFacts(subject: ContractSubject, groups: Readonly<Record<string, Facts>>): void {
  describe(`Kinesis API: ${subject.name}`, () => {
    let connection: Connection;
    const created = new Set<string>();
    beforeAll(async () => {
      connection = await subject.connect();
    });
    afterAll(async () => {
      for (const StreamName of created) {
        await connection.client.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
      }
      await connection.close();
    });
    for (const [group, facts] of Object.entries(groups)) {
      describe(group, () => {
        for (const [name, tell] of Object.entries(facts)) {
          const reason = subject.skips[name];
          if (reason !== undefined) it.skip(`${name} (${reason})`);
          else
            it(
              name,
              () => tell(stage(connection.client, created, subject.patienceMs)),
              subject.patienceMs * 4,
            );
        }
      });
    }
    it('skips only facts that exist', () => {
      const names = Object.values(groups).flatMap((facts) => Object.keys(facts));
      expect(Object.keys(subject.skips).filter((name) => !names.includes(name))).toEqual([]);
    });
  });
}

let streamCount = 0;

function stage(client: KinesisClient, created: Set<string>, patienceMs: number): Stage {
  const iterator = async (
    name: string,
    shardId: string,
    type: ShardIteratorType,
    start: IteratorStart = {},
  ) => {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: name, ShardId: shardId, ShardIteratorType: type, ...start }),
    );
    return present(ShardIterator);
  };
  const read = async (text: string, Limit?: number) => {
    const request = { ShardIterator: text, ...(Limit === undefined ? {} : { Limit }) };
    let answer: GetRecordsOutput | undefined;
    await until(
      'a read is let through',
      patienceMs,
      async () => {
        answer = await client.send(new GetRecordsCommand(request)).catch(passOnUnlessThrottled);
        return answer !== undefined;
      },
      READ_PAUSE_MS,
    );
    return present(answer);
  };
  const untilActive = (StreamName: string) =>
    until(`${StreamName} is ACTIVE`, patienceMs, async () => {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
    });
  return {
    client,
    patienceMs,
    iterator,
    read,
    untilActive,
    stream: async (ShardCount) => {
      streamCount += 1;
      const StreamName = `twinstream-contract-${process.pid}-${Date.now().toString(36)}-${streamCount}`;
      await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
      created.add(StreamName);
      await untilActive(StreamName);
      return StreamName;
    },
    shards: async (StreamName) => (await client.send(new ListShardsCommand({ StreamName }))).Shards ?? [],
    put: async (StreamName, PartitionKey, data = PartitionKey) => {
      const { ShardId, SequenceNumber } = await client.send(
        new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(data) }),
      );
      return { ShardId: present(ShardId), SequenceNumber: present(SequenceNumber) };
    },
    readUntil: (first, count) => readUntil(read, first, count, patienceMs),
  };
}

async function readUntil(read: Stage['read'], first: string, count: number, patienceMs: number) {
  const records: { key: string; text: string; number: string }[] = [];
  let next: string | undefined = first;
  await until(
    `${count} records are read`,
    patienceMs,
    async () => {
      const { Records = [], NextShardIterator } = await read(present(next));
      for (const { Data, PartitionKey, SequenceNumber } of Records) {
        const text = Buffer.from(present(Data)).toString();
        records.push({ key: present(PartitionKey), text, number: present(SequenceNumber) });
      }
      next = NextShardIterator ?? undefined;
      return records.length >= count || next === undefined;
    },
    READ_PAUSE_MS,
  );
  return records;
}

function passOnUnlessThrottled(error: unknown): undefined {
  if (!(error instanceof ProvisionedThroughputExceededException)) throw error;
}

/** Asks repeatedly until the answer is yes. Throws when it stays no. */
export async function until(
  what: string,
  patienceMs: number,
  ask: () => Promise<boolean>,
  pauseMs = ASK_PAUSE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`it is not so within ${patienceMs} ms that ${what}`);
    await sleep(pauseMs);
  }
}

export function present<Value>(value: Value | null | undefined): Value {
  if (value === undefined || value === null) throw new Error('a member of an answer is missing');
  return value;
}

/** The name of the error that a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
  return 'it was not refused';
}
