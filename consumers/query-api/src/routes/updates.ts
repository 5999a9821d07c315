import { streamUpdates } from '@twinstream/api-contract';
import { endpoint } from '../endpoint.ts';
import { readFieldSelection } from '../field-selection.ts';
import { decodeResumeToken } from '../fleet/resume-token.ts';
import type { UpdateSink, UpdateStream } from '../fleet/update-stream.ts';
import { badParameter, problemResponse } from '../problem.ts';

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies must not gather what is to be sent immediately.
  'x-accel-buffering': 'no',
} as const;

/** Bytes that wait for a client before it counts as fallen behind. */
const BUFFER_BYTES = 256 * 1024;

export const updatesEndpoint = endpoint(
  streamUpdates,
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
      headers: STREAM_HEADERS,
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
