import { useMemo } from 'preact/hooks';
import type { Pipeline, ShardHealth } from '../api/shapes.ts';
import { ageText, lagText } from '../model/age.ts';
import { columnsOf, type ShardSample, shardName } from '../model/shard-samples.ts';
import { countText, rateText } from '../model/value-text.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { Plot } from '../parts/plot.tsx';
import { Age, Moment } from '../parts/time.tsx';
import { now } from '../session/clock.ts';
import { pipeline, pipelineFailure, shardSamples } from '../session/pipeline-session.ts';

/** A lag beyond it deserves a look; the mapping polls each shard once a second. */
const LAG_MS_CALM = 10_000;
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

function Figures({ status }: { readonly status: Pipeline }) {
  const open = status.shards.filter(({ state }) => state === 'OPEN');
  const rate = status.shards.reduce((sum, { recordsPerSecond }) => sum + (recordsPerSecond ?? 0), 0);
  const lags = status.shards.map(({ lagMs }) => lagMs).filter((lag) => lag !== undefined);
  const lag = lags.length === 0 ? undefined : Math.max(...lags);
  const { quarantined, archiveDeliveryTime } = status;
  return (
    <div class="figures">
      <Figure
        icon="reported"
        label="Throughput"
        value={rateText(rate)}
        note={`records a second over ${open.length} open ${open.length === 1 ? 'shard' : 'shards'}`}
      />
      <Figure
        icon="lag"
        label="Longest lag"
        value={lag === undefined ? '–' : lagText(lag)}
        note="between arrival in the stream and stored"
        isAlarming={lag !== undefined && lag > LAG_MS_CALM}
      />
      <Figure
        icon="locked"
        label="Quarantine"
        value={quarantined === undefined ? '–' : countText(quarantined)}
        note={quarantined === 0 ? 'every record was read' : 'records that could not be read'}
        isAlarming={(quarantined ?? 0) > 0}
      />
      <Figure
        icon="archive"
        label="Archive"
        value={archiveDeliveryTime === undefined ? '–' : ageText(now.value - archiveDeliveryTime)}
        note={archiveDeliveryTime === undefined ? 'nothing delivered yet' : 'since the last delivery'}
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

function ShardRow({ shard, index }: { readonly shard: ShardHealth; readonly index: number }) {
  const { shardId, state, lagMs, recordsPerSecond, finishedThrough } = shard;
  return (
    <tr>
      <th scope="row">
        <span class={`plot-key series-${index % 6}`}>{shardId}</span>
      </th>
      <td>{state === 'OPEN' ? 'open' : state.toLowerCase()}</td>
      <td class="is-right">{recordsPerSecond === undefined ? '–' : rateText(recordsPerSecond)}</td>
      <td class={`is-right ${(lagMs ?? 0) > LAG_MS_CALM ? 'is-alarming' : ''}`}>
        {lagMs === undefined ? '–' : lagText(lagMs)}
      </td>
      <td class="sequence">{finishedThrough ?? 'nothing yet'}</td>
    </tr>
  );
}

function Shards({ shards }: { readonly shards: readonly ShardHealth[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="card scroll" tabIndex={0} aria-labelledby="shards-title">
      <h2 id="shards-title">Shards</h2>
      <table class="shards">
        <thead>
          <tr>
            <th scope="col">Shard</th>
            <th scope="col">State</th>
            <th scope="col" class="is-right">
              Records/s
            </th>
            <th scope="col" class="is-right">
              Lag
            </th>
            <th scope="col">Finished through</th>
          </tr>
        </thead>
        <tbody>
          {shards.map((shard, index) => (
            <ShardRow key={shard.shardId} shard={shard} index={index} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Replays({ status }: { readonly status: Pipeline }) {
  return (
    <section class="card" aria-labelledby="replays-title">
      <h2 id="replays-title">Replays and archive</h2>
      {status.replays.length === 0 && <p class="empty">No replay is running.</p>}
      {status.replays.map(({ id, state, progress, detail }) => (
        <div key={id} class="replay">
          <p>
            <strong>{id}</strong> {state}
            {detail !== undefined && <span class="muted"> · {detail}</span>}
          </p>
          {progress !== undefined && (
            <progress max={1} value={progress} aria-label={`Progress of ${id}`}>
              {Math.round(progress * 100)} %
            </progress>
          )}
        </div>
      ))}
      <p class="muted">
        {status.archiveDeliveryTime === undefined ? (
          'The archive has received nothing yet.'
        ) : (
          <>
            Last archive object: <Moment time={status.archiveDeliveryTime} />,{' '}
            <Age time={status.archiveDeliveryTime} /> ago.
          </>
        )}
        {status.retentionHours !== undefined &&
          ` The stream keeps ${countText(status.retentionHours)} hours.`}
      </p>
    </section>
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
