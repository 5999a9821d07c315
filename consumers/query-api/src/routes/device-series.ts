import { getDeviceSeries, SERIES_BUCKETS_MAX, type SeriesAnswer } from '@twinstream/api-contract';
import { parseDurationMs } from '@twinstream/runtime';
import { readSeries } from '../attribute-series.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { momentMs } from '../moment.ts';
import { badParameter, problemResponse } from '../problem.ts';
import { hasPages } from '../stored-pages.ts';

export const deviceSeriesEndpoint = endpoint(
  getDeviceSeries,
  async ({ params: { deviceId }, query, getSignal }, services) => {
    const { attribute, from, to, interval, aggregate, basis } = query;
    const intervalMs = parseDurationMs(interval);
    const now = services.clock.now();
    const fromMs = momentMs(from, now);
    const toMs = to === undefined ? now : momentMs(to, now);
    if (toMs <= fromMs) return badParameter('to', 'must be after from');
    const bucketCount = Math.ceil((toMs - fromMs) / intervalMs);
    if (bucketCount > SERIES_BUCKETS_MAX) {
      return badParameter(
        'interval',
        `must make at most ${SERIES_BUCKETS_MAX} buckets of this range, not ${bucketCount}`,
      );
    }
    const asked = { deviceId, attribute, fromMs, toMs, intervalMs, aggregate, basis };
    const series = await readSeries(services.events, asked, getSignal());
    if (series.buckets.length === 0 && !(await hasPages(services.events, deviceId, getSignal()))) {
      return problemResponse('DEVICE_NOT_FOUND', { detail: `no events of ${deviceId} are stored` });
    }
    return jsonAnswer<SeriesAnswer>({
      deviceId,
      attribute,
      aggregate,
      basis,
      from: isoTime(fromMs),
      to: isoTime(toMs),
      intervalMs,
      ...series,
    });
  },
);
