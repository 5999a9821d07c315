import { itemBytes } from '@twinstream/aws/dynamodb';
import { pageBytes } from '@twinstream/capacity';
import { encodePage, memoryEventStore } from '@twinstream/event-store';
import type { Benchmark, Figure } from '../benchmark.ts';
import { memoryProjector } from '../projector-subjects/projectors.ts';
import { sizedFleet } from '../projector-subjects/sized-reports.ts';

const EVENT_BYTES = [140, 180, 250, 400, 600, 1_000] as const;
const EVENTS_OF_PAGE = [1, 2, 5, 10, 25, 50, 100, 300, 1_000] as const;
const DEVICES = 16;
/** All events of a long page lie close together in memory, not in time. */
const LONG_PAGE_EVENTS = 200;
const LONG_PAGE_DEVICES = 4;
const FIRST_BATCHES = 2;
const BATCHES = 2;
const SECOND_MS = 1_000;

async function measured(eventBytes: number, eventsPerDevice: number): Promise<Figure[]> {
  const deviceCount = eventsPerDevice > LONG_PAGE_EVENTS ? LONG_PAGE_DEVICES : DEVICES;
  const fleet = sizedFleet({ eventBytes });
  const batchOf = (events: number) =>
    fleet.nextBatch(
      Array.from({ length: deviceCount }, () => events),
      events * SECOND_MS,
    );
  const store = memoryEventStore();
  let [pages, events, bytes] = [0, 0, 0];
  const project = memoryProjector({
    services: {
      eventStore: {
        ...store,
        appendPage: (page, signal) => {
          pages += 1;
          events += page.events.length;
          bytes += itemBytes(encodePage(page));
          return store.appendPage(page, signal);
        },
      },
    },
  });
  for (let batch = 0; batch < FIRST_BATCHES; batch += 1) await project(batchOf(1));
  [pages, events, bytes] = [0, 0, 0];
  const [eventsBefore, bytesBefore] = [fleet.eventCount, fleet.byteCount];
  for (let batch = 0; batch < BATCHES; batch += 1) await project(batchOf(eventsPerDevice));
  const eventBytesMean = (fleet.byteCount - bytesBefore) / (fleet.eventCount - eventsBefore);
  const perPage = events / pages;
  const name = `${Math.round(perPage)} events of ${Math.round(eventBytesMean)} bytes`;
  return [
    { name, subject: 'measured', value: Math.round(bytes / pages), unit: 'bytes/page' },
    { name, subject: 'planned', value: Math.round(pageBytes(eventBytesMean, perPage)), unit: 'bytes/page' },
  ];
}

const benchmark: Benchmark = {
  name: 'page-sizes',
  compares:
    'bytes of a page’s item, compressed where that saves a write unit: as the projector makes it of reports of simulated devices of all kinds, ' +
    'one a second, and as the formula of capacity has it',
  run: async () => {
    const figures: Figure[] = [];
    for (const eventBytes of EVENT_BYTES) {
      for (const events of EVENTS_OF_PAGE) figures.push(...(await measured(eventBytes, events)));
    }
    return figures;
  },
};

export default benchmark;
