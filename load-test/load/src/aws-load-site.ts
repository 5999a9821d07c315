import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeStreamSummaryCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import type { Access } from '@twinstream/end-to-end';
import { CodedError } from '@twinstream/runtime';
import { type LoadSite, scenarioFailed } from './load-site.ts';

const POLL_MS = 200;

export interface AwsLoadSiteOptions {
  readonly access: Access;
  /** Names of the functions of the deployment, by their names in scenarios; those that are the same may be left out. */
  readonly functionNames?: Readonly<Record<string, string>>;
  /** How long a change may take until it is so, in milliseconds. */
  readonly changeDeadlineMs: number;
  /** Between two looks at whether a change is so, in milliseconds. Default: {@link POLL_MS}. */
  readonly pollMs?: number;
}

/** A pipeline through nothing but the APIs of AWS, which inject no faults and kill no process. */
export function awsLoadSite(options: AwsLoadSiteOptions): LoadSite {
  const { access, functionNames = {}, changeDeadlineMs, pollMs = POLL_MS } = options;
  const kinesis = kinesisClient(access.clients.kinesis);
  const lambda = lambdaClient(access.clients.lambda);
  const StreamName = access.stream;
  const stopped = new Set<string>();
  let shardsAtFirst: number | undefined;

  const summary = async () => {
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    return {
      status: StreamDescriptionSummary?.StreamStatus,
      shards: StreamDescriptionSummary?.OpenShardCount ?? 0,
    };
  };
  /** Rejects where there is none: one that is gone changes no more, however long it is waited for. */
  const mappingOf = async (name: string) => {
    const FunctionName = functionNames[name] ?? name;
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    const mapping = EventSourceMappings.find((each) => streamOf(each.EventSourceArn ?? '') === StreamName);
    if (mapping === undefined) throw scenarioFailed(`no mapping of ${StreamName} invokes ${name}`);
    return mapping;
  };
  const until = (what: string, isTrue: () => Promise<boolean>) =>
    waitUntil(what, isTrue, changeDeadlineMs, pollMs);
  const active = () => until('the stream active', async () => (await summary()).status === 'ACTIVE');

  /** A mapping that is still on its way from one state to the other takes no change. */
  const settledMapping = async (name: string) => {
    const isSettled = async () => !/ing$/.test((await mappingOf(name)).State ?? '');
    await until(`the mapping of ${name} at rest`, isSettled);
    return mappingOf(name);
  };

  const site: LoadSite = {
    setFaults: () => Promise.reject(scenarioFailed('AWS injects no faults')),
    kill: () => Promise.reject(scenarioFailed('AWS kills no process')),
    async setMapping(name, enabled) {
      const mapping = await settledMapping(name);
      if (!enabled && mapping.State !== 'Enabled') {
        throw scenarioFailed(`the mapping of ${name} is ${mapping.State}, not Enabled`);
      }
      if (!enabled) stopped.add(name);
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, Enabled: enabled }));
      const wanted = enabled ? 'Enabled' : 'Disabled';
      await until(`${name} ${wanted}`, async () => (await mappingOf(name)).State === wanted);
      if (enabled) stopped.delete(name);
    },
    shardCount: async () => (await summary()).shards,
    async reshard(shardCount) {
      shardsAtFirst ??= await site.shardCount();
      await kinesis.send(
        new UpdateShardCountCommand({
          StreamName,
          TargetShardCount: shardCount,
          ScalingType: 'UNIFORM_SCALING',
        }),
      );
      await active();
    },
    async resume() {
      for (const name of [...stopped]) await site.setMapping(name, true);
    },
    async restore() {
      const left: string[] = [];
      for (const name of [...stopped]) {
        const why = await site.setMapping(name, true).then(() => undefined, messageOf);
        if (why !== undefined) left.push(`the mapping of ${name} is to be enabled again: ${why}`);
      }
      const why = await restoreShards().then(() => undefined, messageOf);
      if (why !== undefined) left.push(`${StreamName} is to have ${shardsAtFirst} shards again: ${why}`);
      if (left.length > 0) throw new CodedError('NOT_RESTORED', left.join('; '));
    },
    close() {
      kinesis.destroy();
      lambda.destroy();
    },
  };
  const restoreShards = async () => {
    if (shardsAtFirst === undefined) return;
    // A change that was under way when a person stopped the run must end before the next.
    await active();
    if ((await site.shardCount()) !== shardsAtFirst) await site.reshard(shardsAtFirst);
  };
  return site;
}

/** Name of the stream in its own ARN, or in that of a consumer of it. */
function streamOf(arn: string): string | undefined {
  return arn.split(':stream/')[1]?.split('/')[0];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Rejects with `SCENARIO_FAILED` at the deadline. */
export async function waitUntil(
  what: string,
  isTrue: () => Promise<boolean>,
  deadlineMs: number,
  pollMs: number = POLL_MS,
): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw scenarioFailed(`not in time: ${what}`);
    await sleep(pollMs);
  }
}
