import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { finished } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPipeline } from '../src/pipeline-stores.ts';
import { type RunningPipeline, runPipeline, temporaryFolder } from '../src/running-pipeline.ts';

/** Times that the projector's process is killed. The full count is 50: `TWINSTREAM_TEST_KILLS=50`. */
const KILLS = Number(process.env.TWINSTREAM_TEST_KILLS ?? 5);
/** The incarnation that is killed has worked for at most this long: some die in their first batch. */
const LIFE_MS_MAX = 1_500;
const RESTART_DEADLINE_MS = 30_000;
const SETTLE_DEADLINE_MS = 120_000;
const POLL_MS = 20;
const CHECK_EVERY_MS = 1_000;
/** Events a second, of many devices: each poll of a shard finds some. */
const LOAD = ['--devices', '100', '--rate', '150', '--seed', '4', '--max-delay', 'never'];

/** The process id of the projector when it is another than the one that died. */
async function nextProjector(pipeline: RunningPipeline, died: string | undefined): Promise<string> {
  const deadline = Date.now() + RESTART_DEADLINE_MS;
  for (;;) {
    const pid = pipeline.environmentNow().TWINSTREAM_PID_STATE_PROJECTOR;
    if (pid !== undefined && pid !== died) return pid;
    if (Date.now() > deadline) throw new Error(`no projector came after ${died}`);
    await sleep(POLL_MS);
  }
}

/** A pseudo-random share of a life, the same in every run. */
function lifeMs(kill: number): number {
  return ((kill * 0.618_033_988_75) % 1) * LIFE_MS_MAX;
}

describe('the projector, killed while it works', () => {
  const folder = temporaryFolder();
  let pipeline: RunningPipeline;

  beforeAll(async () => {
    pipeline = await runPipeline(folder.path);
  }, 120_000);
  afterAll(async () => {
    await pipeline?.stop();
    folder.dispose();
  }, 60_000);

  test(
    `loses nothing and stores nothing twice when it is killed ${KILLS} times`,
    async () => {
      const ledger = join(folder.path, 'ledger.ndjson');
      const simulator = pipeline.startSimulator(...LOAD, '--output', 'json', '--ledger', ledger);
      const ended = finished(simulator);
      let pid: string | undefined;
      for (let kill = 1; kill <= KILLS; kill += 1) {
        pid = await nextProjector(pipeline, pid);
        await sleep(lifeMs(kill));
        process.kill(Number(pid), 'SIGKILL');
      }
      await nextProjector(pipeline, pid);
      simulator.kill('SIGINT');
      const { stdout } = await ended;
      const { acknowledged } = JSON.parse(stdout) as { acknowledged: number };
      expect(acknowledged).toBeGreaterThan(0);

      await pipeline.caughtUp();
      const deadline = Date.now() + SETTLE_DEADLINE_MS;
      let report = await checkPipeline(pipeline.environment, [ledger]);
      // The archive follows, behind its buffers.
      while (report.archived !== undefined && report.archived < acknowledged && Date.now() < deadline) {
        await sleep(CHECK_EVERY_MS);
        report = await checkPipeline(pipeline.environment, [ledger]);
      }
      expect(report).toMatchObject({ sent: acknowledged, stored: acknowledged, violations: [] });
    },
    60_000 + SETTLE_DEADLINE_MS + KILLS * 10_000,
  );
});
