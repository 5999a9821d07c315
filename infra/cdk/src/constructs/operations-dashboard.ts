import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  PeriodOverride,
  type YAxisProps,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { AlarmsProps } from './alarm-rules.ts';
import type { Alarms } from './alarms.ts';
import { deliveryMetric, PERIOD, projectorMetric } from './metrics.ts';

const WIDTH = 12;
const SINCE_ZERO: YAxisProps = { min: 0 };

/** The pipeline on one page, from left to right as an event goes. */
export class OperationsDashboard extends Construct {
  constructor(scope: Construct, id: string, props: AlarmsProps & { readonly alarms: Alarms | undefined }) {
    super(scope, id);
    const { stream } = props.eventStream;
    const consumers = Object.entries(props.consumers);
    const projected = (metricName: string, statistic = 'Sum') =>
      projectorMetric(stream, metricName, statistic).with({ label: metricName });
    const dashboard = new Dashboard(this, 'Dashboard', {
      periodOverride: PeriodOverride.INHERIT,
      defaultInterval: Duration.hours(6),
    });
    if (props.alarms !== undefined) {
      dashboard.addWidgets(
        new AlarmStatusWidget({ title: 'Alarms', width: 2 * WIDTH, alarms: [...props.alarms.alarms] }),
      );
    }
    dashboard.addWidgets(
      graph('Into the stream, a minute', [
        stream.metricIncomingRecords({ period: PERIOD, statistic: 'Sum' }),
        stream.metricWriteProvisionedThroughputExceeded({ period: PERIOD, statistic: 'Sum' }),
      ]),
      graph(
        'Behind the stream, ms',
        consumers.map(([label, { lambda }]) =>
          lambda.metric('IteratorAge', { period: PERIOD, statistic: 'Maximum', label }),
        ),
      ),
    );
    dashboard.addWidgets(
      graph('Outcomes of events per minute', [
        projected('applied'),
        projected('late'),
        projected('duplicates'),
        projected('redelivered'),
        projected('quarantined'),
      ]),
      graph('Write units and pages, a minute', [
        projected('writeUnits'),
        projected('pages'),
        projected('conflicts'),
        projected('historyReads'),
      ]),
    );
    dashboard.addWidgets(
      graph(
        'Duration of a batch, ms, 99th percentile',
        consumers.map(([label, { live }]) =>
          live.metricDuration({ period: PERIOD, statistic: 'p99', label }),
        ),
      ),
      graph('Archive: seconds since the oldest undelivered event', [
        deliveryMetric(props.archive, 'DeliveryToS3.DataFreshness', 'Maximum'),
      ]),
    );
    const { api } = props.queryApi ?? {};
    if (api === undefined) return;
    dashboard.addWidgets(
      graph('Query API, requests a minute', [
        api.metricCount({ period: PERIOD, statistic: 'Sum' }),
        api.metricServerError({ period: PERIOD, statistic: 'Sum' }),
      ]),
      graph('Query API, ms', [
        api.metricLatency({ period: PERIOD, statistic: 'p50' }),
        api.metricLatency({ period: PERIOD, statistic: 'p99' }),
      ]),
    );
  }
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: WIDTH, leftYAxis: SINCE_ZERO });
}
