import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readyMessage } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { startKinesis } from '../../src/kinesis/index.ts';

const SHARDS = 4;
const LANES = 8;
const KILLS = 6;
const RECORDS_A_REQUEST = 50;

interface Put {
  readonly text: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
}

function post(agent: Agent, port: number, operation: string, input: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${operation}`,
    };
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.once('error', reject);
      answer.once('end', () => resolve(text));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(input));
  });
}

/** Starts a server in a process, puts until it is killed after so many answers, and says what was acknowledged. */
async function putUntilKilled(dataDir: string, round: number, answersBeforeKill: number) {
  const child = fork(join(import.meta.dirname, 'server-process.ts'), [dataDir], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exit = once(child, 'exit');
  const port = Number(await readyMessage(child));
  const agent = new Agent({ keepAlive: true });
  if (round === 0) await post(agent, port, 'CreateStream', { StreamName: 's', ShardCount: SHARDS });
  const acknowledged: Put[] = [];
  const sent = new Set<string>();
  let answers = 0;
  const lane = async (lane: number) => {
    for (let turn = 0; ; turn += 1) {
      const texts = Array.from(
        { length: RECORDS_A_REQUEST },
        (_, index) => `${round}/${lane}/${turn}/${index}`,
      );
      for (const text of texts) sent.add(text);
      const Records = texts.map((text) => ({
        PartitionKey: text,
        Data: Buffer.from(text).toString('base64'),
      }));
      const answer = JSON.parse(await post(agent, port, 'PutRecords', { StreamName: 's', Records }));
      texts.forEach((text, index) => {
        const { ShardId, SequenceNumber } = answer.Records[index];
        acknowledged.push({ text, shardId: ShardId, sequenceNumber: SequenceNumber });
      });
      answers += 1;
      if (answers === answersBeforeKill) child.kill('SIGKILL');
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: LANES }, (_, index) => lane(index)));
  await exit;
  agent.destroy();
  return { acknowledged, sent, ends };
}

describe('kill -9', () => {
  it('loses no acknowledged record, doubles none and invents none, however often', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'twinstream-kinesis-kill-'));
    try {
      const acknowledged: Put[] = [];
      const sent = new Set<string>();
      for (let round = 0; round < KILLS; round += 1) {
        const result = await putUntilKilled(dataDir, round, 20 + 17 * round);
        acknowledged.push(...result.acknowledged);
        for (const text of result.sent) sent.add(text);
        for (const end of result.ends) {
          expect(end).toMatchObject({
            status: 'rejected',
            reason: { code: expect.stringMatching(/ECONN|EPIPE/) },
          });
        }
      }
      const server = await startKinesis({ dataDir });
      const shards = server.records('s');
      await server.close();
      const stored = shards.flatMap(({ shardId, records }) =>
        records.map(({ data, sequenceNumber }) => ({ text: data.toString(), shardId, sequenceNumber })),
      );
      const byText = new Map(stored.map((record) => [record.text, record]));
      expect(byText.size).toBe(stored.length);
      expect(acknowledged.length).toBeGreaterThan(KILLS * 20 * RECORDS_A_REQUEST);
      expect(
        acknowledged.filter((record) => byText.get(record.text)?.sequenceNumber !== record.sequenceNumber),
      ).toEqual([]);
      expect(acknowledged.filter((record) => byText.get(record.text)?.shardId !== record.shardId)).toEqual(
        [],
      );
      expect(stored.filter(({ text }) => !sent.has(text))).toEqual([]);
      for (const { records } of shards) {
        const numbers = records.map(({ sequenceNumber }) => sequenceNumber);
        expect([...new Set(numbers)].sort()).toEqual(numbers);
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
