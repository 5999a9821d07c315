import { z } from 'zod';
import { endpoint, NO_PARAMETERS } from '../endpoint.ts';
import { fieldsParameter, readFieldSelection } from '../field-selection.ts';
import { FILTER_PARAMETERS } from '../fleet/fleet-filter.ts';
import { decodeResumeToken, RESUME_TOKEN_CHARACTERS_MAX } from '../fleet/resume-token.ts';
import type { UpdateSink, UpdateStream } from '../fleet/update-stream.ts';
import { flagParameter } from '../parameters.ts';
import { badParameter, problemResponse } from '../problem.ts';

const tokenRule = `must be at most ${RESUME_TOKEN_CHARACTERS_MAX} characters`;
const resumeToken = (description: string) =>
  z.string().max(RESUME_TOKEN_CHARACTERS_MAX, tokenRule).optional().meta({ description });

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies must not gather what is to be told at once.
  'x-accel-buffering': 'no',
} as const;

/** Bytes that wait for a client before it counts as fallen behind. */
const BUFFER_BYTES = 256 * 1024;

export const updatesEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/updates',
    operationId: 'streamUpdates',
    summary: 'Changes of the fleet as they happen',
    description: [
      'Server-sent events. `device`: a device that changed, whole, or those members that `fields` names; of several changes in a',
      'short time the last is sent. `leave`: `{"deviceIds":[…]}` that no longer meet the filter. `sync`: `{"asOf":…}`, everything',
      'finished before then has been told; its id is what a client brings back as `Last-Event-ID`, and gets whatever has changed',
      'since, perhaps with devices that it knows already. It holds for any process of this API, also after a restart. A `sync` at',
      'least every 10 seconds says that the stream is alive. Where a driver cannot hold a stream open it ends after what there is.',
    ].join(' '),
    scope: 'read',
    params: NO_PARAMETERS,
    query: z.strictObject({
      ...FILTER_PARAMETERS,
      fields: fieldsParameter(),
      snapshot: flagParameter('Send all devices of the filter first.'),
      lastEventId: resumeToken(
        'Like the header, for a first connection: the `lastEventId` of a list goes on behind that list.',
      ),
    }),
    headers: z.object({ 'last-event-id': resumeToken('Id of the last `sync` that the client has seen.') }),
    answers: { 200: { description: 'The stream.', mediaType: 'text/event-stream' } },
    problems: ['TOO_MANY_STREAMS'],
  },
  async (
    { query: { fields, snapshot = false, lastEventId, ...filter }, headers, getSignal, method },
    services,
  ) => {
    const header = headers['last-event-id'];
    const token = header ?? lastEventId;
    const since = token === undefined ? undefined : decodeResumeToken(token);
    if (token !== undefined && since === undefined) {
      const name = header === undefined ? 'lastEventId' : 'Last-Event-ID';
      return badParameter(name, 'must be the id of a sync event, or the lastEventId of a list');
    }
    // Nobody would read the stream of a HEAD request, nor end it.
    if (method === 'HEAD') return new Response(null, { headers: STREAM_HEADERS });
    const selection = readFieldSelection(fields);
    const query = {
      filter,
      // A client that comes back has had its first picture.
      snapshot: snapshot && since === undefined,
      ...(selection === undefined ? {} : { fields: selection }),
      ...(since === undefined ? {} : { since }),
    };
    const fleet = await services.fleet.current(getSignal());
    const stream = updateBody((sink) => services.updates.open(query, fleet, sink));
    if (stream === undefined) {
      return problemResponse('TOO_MANY_STREAMS', {
        detail: 'try again later, or poll /v1/devices',
        headers: { 'retry-after': '10' },
      });
    }
    getSignal().addEventListener('abort', stream.end, { once: true });
    return new Response(stream.body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
    });
  },
);

/** The body of a stream of updates, which the hub fills as fast as the client takes it; undefined when the hub takes no more. */
function updateBody(
  open: (sink: UpdateSink) => UpdateStream | undefined,
): { readonly body: ReadableStream<Uint8Array>; readonly end: () => void } | undefined {
  let stream: UpdateStream | undefined;
  let isOpen = true;
  const end = () => {
    isOpen = false;
    stream?.end();
  };
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    stream = open({
      write: (bytes) => {
        if (isOpen) controller.enqueue(bytes);
        return (controller.desiredSize ?? 0) > 0;
      },
      close: () => {
        if (isOpen) controller.close();
        isOpen = false;
      },
    });
  };
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES });
  const body = new ReadableStream<Uint8Array>({ start, pull: () => stream?.resume(), cancel: end }, strategy);
  return stream === undefined ? undefined : { body, end };
}
