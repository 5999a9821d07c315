import type { PipelineStatus, ReplayStatus, ShardStatus } from '@twinstream/api-contract';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { ageText, lagText } from '../model/age.ts';
import { catchUpText, progressOf } from '../model/shard-progress.ts';
import { columnsOf, type ShardSample, shardName } from '../model/shard-samples.ts';
import { countText, rateText } from '../model/value-text.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { Plot } from '../parts/plot.tsx';
import { Age, Moment } from '../parts/time.tsx';
import { now } from '../session/clock.ts';
import { pipeline, pipelineFailure, shardSamples, USUAL_LAG_MS } from '../session/pipeline-session.ts';

const PLOT_HEIGHT = 200;

interface FigureProps {
  readonly icon: IconName;
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly isAlarming?: boolean;
}

function Figure({ icon, label, value, note, isAlarming = false }: FigureProps) {
  return (
    <div class={`figure ${isAlarming ? 'is-alarming' : ''}`}>
      <span class="tile-label">
        <Icon name={isAlarming ? 'trouble' : icon} />
        {label}
      </span>
      <span class="tile-count">{value}</span>
      <span class="tile-share">{note}</span>
    </div>
  );
}

function Figures({ status }: { readonly status: PipelineStatus }) {
  const open = status.shards.filter(({ state }) => state === 'OPEN');
  const { arriving, processed, backlog, catchUpMs } = progressOf(status.shards);
  const lags = status.shards.map(({ lagMs }) => lagMs).filter((lag) => lag !== null);
  const lag = lags.length === 0 ? undefined : Math.max(...lags);
  const {
    quarantined,
    archive: { lastDeliveryTime },
  } = status;
  return (
    <div class="figures">
      <Figure
        icon="reported"
        label="Arriving"
        value={rateText(arriving)}
        note={`records a second over ${open.length} open ${open.length === 1 ? 'shard' : 'shards'}`}
      />
      <Figure
        icon="connected"
        label="Processed"
        value={processed === undefined ? '–' : rateText(processed)}
        note={processed === undefined ? 'the stream is not followed' : 'records a second'}
      />
      <Figure
        icon="total"
        label="Backlog"
        value={backlog === undefined ? '–' : countText(backlog)}
        note={backlog === undefined ? 'not counted' : catchUpText(backlog, catchUpMs)}
      />
      <Figure
        icon="lag"
        label="Longest lag"
        value={lag === undefined ? '–' : lagText(lag)}
        note="from arrival in the stream until stored"
        isAlarming={lag !== undefined && lag > USUAL_LAG_MS}
      />
      <Figure
        icon="locked"
        label="Quarantine"
        value={countText(quarantined)}
        note={quarantined === 0 ? 'no record was rejected' : 'rejected records'}
        isAlarming={quarantined > 0}
      />
      <Figure
        icon="archive"
        label="Archive"
        value={lastDeliveryTime === null ? '–' : ageText(now.value - Date.parse(lastDeliveryTime))}
        note={lastDeliveryTime === null ? 'nothing delivered yet' : 'since the last delivery'}
      />
    </div>
  );
}

interface ShardPlotProps {
  readonly title: string;
  readonly samples: readonly ShardSample[];
  readonly shardIds: readonly string[];
  readonly measure: 'lagMs' | 'recordsPerSecond';
  readonly format: (value: number) => string;
  readonly topMin: number;
}

function ShardPlot({ title, samples, shardIds, measure, format, topMin }: ShardPlotProps) {
  const [times, series] = useMemo(() => {
    const [seconds, ...columns] = columnsOf(samples, shardIds, measure);
    return [
      seconds,
      columns.map((values, index) => ({ label: `shard ${shardName(shardIds[index] ?? '')}`, values })),
    ];
  }, [samples, shardIds.join(), measure]);
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      <Plot
        label={`${title}, by shard, since this page was opened`}
        times={times}
        series={series}
        format={format}
        height={PLOT_HEIGHT}
        topMin={topMin}
        syncKey="pipeline"
      />
    </section>
  );
}

function ShardRow({ shard, index }: { readonly shard: ShardStatus; readonly index: number }) {
  const { shardId, state, lagMs, recordsPerSecond, processedPerSecond, backlogRecords } = shard;
  return (
    <tr>
      <th scope="row">
        <span class={`plot-key series-${index % 6}`}>{shardId}</span>
      </th>
      <td>{state === 'OPEN' ? 'open' : state.toLowerCase()}</td>
      <td class="is-right">{recordsPerSecond === null ? '–' : rateText(recordsPerSecond)}</td>
      <td class={`is-right ${(lagMs ?? 0) > USUAL_LAG_MS ? 'is-alarming' : ''}`}>
        {lagMs === null ? '–' : lagText(lagMs)}
      </td>
      <td class="is-right">{processedPerSecond === null ? '–' : rateText(processedPerSecond)}</td>
      <td class="is-right">{backlogRecords === null ? '–' : countText(backlogRecords)}</td>
      <td class="sequence">{shard.finishedThrough ?? 'nothing yet'}</td>
    </tr>
  );
}

interface WideCardProps {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** A card of a table that may be wider than the page. */
function WideCard({ id, title, children }: WideCardProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="card scroll" tabIndex={0} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Shards({ shards }: { readonly shards: readonly ShardStatus[] }) {
  return (
    <WideCard id="shards-title" title="Shards">
      <table class="shards">
        <thead>
          <tr>
            <th scope="col">Shard</th>
            <th scope="col">State</th>
            <th scope="col" class="is-right">
              Arriving/s
            </th>
            <th scope="col" class="is-right">
              Lag
            </th>
            <th scope="col" class="is-right">
              Processed/s
            </th>
            <th scope="col" class="is-right">
              Backlog
            </th>
            <th scope="col">Checkpoint</th>
          </tr>
        </thead>
        <tbody>
          {shards.map((shard, index) => (
            <ShardRow key={shard.shardId} shard={shard} index={index} />
          ))}
        </tbody>
      </table>
    </WideCard>
  );
}

const TARGET_TEXT: Readonly<Record<ReplayStatus['target'], string>> = {
  none: 'dry run',
  fresh: 'fresh tables',
  repair: 'repair in place',
  stdout: 'standard output',
};

function ReplayRow({ replay }: { readonly replay: ReplayStatus }) {
  const { id, target, step, reason, updatedTime, entries } = replay;
  return (
    <tr>
      <th scope="row">
        {id}
        {reason !== undefined && <span class="muted"> · {reason}</span>}
      </th>
      <td>{TARGET_TEXT[target]}</td>
      <td>{step}</td>
      <td class="is-right">{countText(entries.read)}</td>
      <td class="is-right">{countText(entries.applied)}</td>
      <td class={`is-right ${entries.failed > 0 ? 'is-alarming' : ''}`}>{countText(entries.failed)}</td>
      <td class="is-right">
        <Age time={updatedTime} />
      </td>
    </tr>
  );
}

/** What replays under way have come to: where they write, at which step they are, the outcomes of the entries they read. */
function ReplayTable({ replays }: { readonly replays: readonly ReplayStatus[] }) {
  return (
    <table class="replays">
      <thead>
        <tr>
          <th scope="col">Replay</th>
          <th scope="col">Target</th>
          <th scope="col">Step</th>
          <th scope="col" class="is-right">
            Entries read
          </th>
          <th scope="col" class="is-right">
            Applied
          </th>
          <th scope="col" class="is-right">
            Failed
          </th>
          <th scope="col" class="is-right">
            Last progress
          </th>
        </tr>
      </thead>
      <tbody>
        {replays.map((replay) => (
          <ReplayRow key={replay.id} replay={replay} />
        ))}
      </tbody>
    </table>
  );
}

function Replays({ status }: { readonly status: PipelineStatus }) {
  const { replays, retentionHours, archive } = status;
  return (
    <WideCard id="replays-title" title="Replays and archive">
      {replays === undefined && <p class="empty">This API does not know the table of replays.</p>}
      {replays?.length === 0 && <p class="empty">No replay is running.</p>}
      {replays !== undefined && replays.length > 0 && <ReplayTable replays={replays} />}
      <p class="muted">
        {archive.lastDeliveryTime === null ? (
          'The archive has received nothing yet.'
        ) : (
          <>
            Last archive object: <Moment time={archive.lastDeliveryTime} />,{' '}
            <Age time={archive.lastDeliveryTime} /> ago.
          </>
        )}
        {` The stream keeps ${countText(retentionHours)} hours.`}
      </p>
    </WideCard>
  );
}

/** How far the pipeline is: per shard, in quarantine, in the archive. */
export function PipelineView() {
  const status = pipeline.value;
  const samples = shardSamples.value;
  const failure = pipelineFailure.value;
  const shardIds = (status?.shards ?? []).map(({ shardId }) => shardId);
  return (
    <main id="main" class="pipeline-view" tabIndex={-1}>
      <h1>Pipeline {status !== undefined && <span class="muted">{status.stream}</span>}</h1>
      {status === undefined && failure !== undefined && (
        <FailureNotice failure={failure} what="The pipeline" />
      )}
      {status === undefined && failure === undefined && (
        <Notice icon="polling" title="Reading the pipeline" />
      )}
      {status !== undefined && (
        <>
          <StaleNote failure={failure} />
          <Figures status={status} />
          <div class="pipeline-columns">
            <ShardPlot
              title="Records a second"
              samples={samples}
              shardIds={shardIds}
              measure="recordsPerSecond"
              format={rateText}
              topMin={1}
            />
            <ShardPlot
              title="Lag"
              samples={samples}
              shardIds={shardIds}
              measure="lagMs"
              format={lagText}
              topMin={1_000}
            />
          </div>
          <Shards shards={status.shards} />
          <Replays status={status} />
        </>
      )}
    </main>
  );
}
