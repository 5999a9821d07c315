import type { Item } from '@twinstream/aws/dynamodb';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@twinstream/event-store';
import { stateItem } from '@twinstream/latest-state';
import { type StoredDevice, stateAfterPages } from './stored-device.ts';

/** Damage to what is stored of one device, and what verification must say of it: that, and nothing else. */
export interface Damage {
  readonly name: string;
  readonly apply: (device: StoredDevice) => StoredDevice;
  /** Kind and subject of each difference. A subject `*` stands for one or more differences of that kind. */
  readonly expected: readonly string[];
  /** True where it alters one attribute or adds an item: what it does is the same whatever else is damaged. */
  readonly isSingle?: boolean;
}

type AttributeValue = Item[string];
type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

const PAGE_COUNT = 6;
const GARBAGE = { S: 'garbage' };

function altered(item: Item, attributes: Attributes): Item {
  const result: Item = {};
  for (const [name, value] of Object.entries({ ...item, ...attributes })) {
    if (value !== undefined) result[name] = value;
  }
  return result;
}

const isPage = (item: Item, page: number) =>
  item.key?.S?.startsWith('EVENT#') === true && Number(item.key.S.split('#')[2]) === page;
const isSnapshot = (item: Item, page: number) =>
  item.key?.S?.startsWith('SNAPSHOT#') === true && Number(item.key.S.split('#')[3]) === page;

function withEvents(device: StoredDevice, change: (item: Item) => readonly Item[]): StoredDevice {
  return { ...device, events: device.events.flatMap(change) };
}

const onPage = (page: number, change: (item: Item) => readonly Item[]) => (device: StoredDevice) =>
  withEvents(device, (item) => (isPage(item, page) ? change(item) : [item]));
const onSnapshot = (page: number, change: (item: Item) => readonly Item[]) => (device: StoredDevice) =>
  withEvents(device, (item) => (isSnapshot(item, page) ? change(item) : [item]));
const onState = (change: (item: Item) => Item | undefined) => (device: StoredDevice) => ({
  ...device,
  state: device.state === undefined ? undefined : change(device.state),
});

function pageAttribute(page: number, name: string, value: AttributeValue | undefined, how: string): Damage {
  return {
    name: `${name} of page ${page} ${how}`,
    apply: onPage(page, (item) => [altered(item, { [name]: value })]),
    expected: [`page-attribute-differs page ${page} ${name}`],
    isSingle: true,
  };
}

function snapshotAttribute(name: string, value: AttributeValue | undefined, how: string): Damage {
  return {
    name: `${name} of a snapshot ${how}`,
    apply: onSnapshot(4, (item) => [altered(item, { [name]: value })]),
    expected: [`snapshot-attribute-differs snapshot of page 4 ${name}`],
    isSingle: true,
  };
}

function stateAttribute(
  name: string,
  value: AttributeValue | undefined,
  how: string,
  ...expected: readonly string[]
): Damage {
  return {
    name: `${name} of the state ${how}`,
    apply: onState((item) => altered(item, { [name]: value })),
    expected: expected.length === 0 ? [`state-differs ${name}`] : expected,
  };
}

function foreign(key: string): Damage {
  return {
    name: `an item at the sort key ${key}`,
    apply: ({ events, ...device }) => ({
      ...device,
      events: [...events, { deviceId: { S: device.deviceId }, key: { S: key }, body: GARBAGE }],
    }),
    expected: [`item-foreign ${key}`],
    isSingle: true,
  };
}

function movedPage(
  page: number,
  move: (arrivalMaxBefore: number, page: number) => readonly [number, number],
) {
  return onPage(page, (item) => [altered(item, { key: { S: pageKey(...move(...keyParts(item, 1))) } })]);
}

function keyParts(item: Item, from: number): [number, number] {
  const parts = (item.key?.S ?? '').split('#');
  return [Number(parts[from]), Number(parts[from + 1])];
}

function pageKey(arrivalMaxBefore: number, page: number): string {
  return `EVENT#${String(arrivalMaxBefore).padStart(13, '0')}#${String(page).padStart(12, '0')}`;
}

function snapshotOf(item: Item, change: (snapshot: Snapshot) => Snapshot): readonly Item[] {
  const encoded = encodeSnapshot(change(decodeSnapshot(item)));
  return encoded === undefined ? [] : [encoded];
}

function count(name: string): Damage {
  return {
    name: `the count of ${name} in the state`,
    apply: onState((item) => altered(item, { counts: { M: { ...item.counts?.M, [name]: { N: '77' } } } })),
    expected: ['state-differs counts'],
  };
}

const OF_PAGES: readonly Damage[] = [
  ...[1, 2, 3, PAGE_COUNT].map((page) => ({
    name: `page ${page} missing`,
    apply: onPage(page, () => []),
    expected: [`page-missing page ${page}`],
  })),
  {
    name: 'all pages missing',
    apply: (device) => withEvents(device, (item) => (item.key?.S?.startsWith('EVENT#') ? [] : [item])),
    expected: Array.from({ length: PAGE_COUNT }, (_, index) => `page-missing page ${index + 1}`),
  },
  ...Object.entries({
    'a text that is no JSON': GARBAGE,
    'bytes that are not compressed': { B: Buffer.from('garbage') },
    'a number': { N: '1' },
    'nothing at all': undefined,
    'JSON of another format': { S: '{"format":9}' },
  }).map(([what, body]) => ({
    name: `the body of page 3 being ${what}`,
    apply: onPage(3, (item) => [altered(item, { body })]),
    expected: ['page-damaged page 3'],
  })),
  {
    name: 'the body of the last page being garbage',
    apply: onPage(PAGE_COUNT, (item) => [altered(item, { body: GARBAGE })]),
    expected: [`page-damaged page ${PAGE_COUNT}`],
  },
  {
    name: 'a page holding the events of another device',
    apply: onPage(3, (item) => [
      altered(item, { body: { S: (item.body?.S ?? '').replaceAll(item.deviceId?.S ?? '?', 'other') } }),
    ]),
    expected: ['page-damaged page 3'],
  },
  {
    name: 'a page at a later arrival than the page before gives it',
    apply: movedPage(3, (arrivalMaxBefore, page) => [arrivalMaxBefore + 1, page]),
    expected: ['page-key-differs page 3'],
  },
  {
    name: 'the last page under a later number',
    apply: movedPage(PAGE_COUNT, (arrivalMaxBefore, page) => [arrivalMaxBefore, page + 2]),
    expected: [`page-missing page ${PAGE_COUNT}`, `page-missing page ${PAGE_COUNT + 1}`],
  },
  {
    name: 'a page a second time, at another key',
    apply: onPage(2, (item) => [item, altered(item, { key: { S: pageKey(keyParts(item, 1)[0] + 1, 2) } })]),
    expected: ['page-key-differs page 2'],
  },
  {
    name: 'a page a second time, behind the last one',
    apply: (device) => ({
      ...device,
      events: [
        ...device.events,
        ...device.events
          .filter((item) => isPage(item, 2))
          .map((item) =>
            altered(item, { key: { S: pageKey(stateAfterPages(device, PAGE_COUNT).arrivalMax, 7) } }),
          ),
      ],
    }),
    expected: ['stored-twice event 1.5', 'state-differs page'],
  },
  pageAttribute(1, 'shardId', { S: 'shardId-000000000001' }, 'altered'),
  pageAttribute(2, 'shardId', undefined, 'missing'),
  pageAttribute(1, 'eventCount', { N: '7' }, 'altered'),
  pageAttribute(2, 'eventCount', undefined, 'missing'),
  pageAttribute(2, 'duplicates', { N: '3' }, 'altered'),
  pageAttribute(3, 'duplicates', { N: '3' }, 'added'),
  pageAttribute(1, 'firstArrivalTime', { N: '1' }, 'altered'),
  pageAttribute(2, 'firstArrivalTime', undefined, 'missing'),
  pageAttribute(1, 'firstEventTime', { N: '1' }, 'altered'),
  pageAttribute(2, 'firstEventTime', undefined, 'missing'),
  pageAttribute(1, 'lastEventTime', { N: '1' }, 'altered'),
  pageAttribute(4, 'lastEventTime', undefined, 'missing'),
  pageAttribute(5, 'lastEventTime', { N: '1' }, 'added'),
  pageAttribute(4, 'expiresAt', { N: '1' }, 'that nobody of us writes'),
  foreign('EVENT#garbage'),
  foreign('EVENT#~~'),
  foreign('AUDIT#1'),
  foreign('SNAPSHOT#1'),
  foreign('~'),
];

const OF_SNAPSHOTS: readonly Damage[] = [
  {
    name: 'the body of a snapshot being garbage',
    apply: onSnapshot(4, (item) => [altered(item, { body: GARBAGE })]),
    expected: ['snapshot-damaged snapshot of page 4'],
  },
  snapshotAttribute('foldVersion', { N: '9' }, 'altered'),
  snapshotAttribute('page', { N: '3' }, 'altered'),
  snapshotAttribute('arrivalMax', { N: '1' }, 'altered'),
  snapshotAttribute('eventTimeMax', { N: '1' }, 'altered'),
  snapshotAttribute('expiresAt', { N: '1' }, 'that nobody of us writes'),
  {
    name: 'a snapshot whose state is not the fold',
    apply: onSnapshot(4, (item) =>
      snapshotOf(item, (snapshot) => ({ ...snapshot, state: { ...snapshot.state, ordinal: 7 } })),
    ),
    expected: ['snapshot-differs snapshot of page 4 ordinal'],
  },
  {
    name: 'a snapshot that has forgotten a counter',
    apply: onSnapshot(4, (item) =>
      snapshotOf(item, (snapshot) => {
        const sessions = new Map(snapshot.receipts.sessions);
        sessions.delete(1);
        return { ...snapshot, receipts: { ...snapshot.receipts, sessions } };
      }),
    ),
    expected: ['snapshot-differs snapshot of page 4 complete receipts'],
  },
  {
    name: 'a snapshot at another arrival',
    apply: onSnapshot(4, (item) =>
      snapshotOf(item, ({ state, ...rest }) => ({ ...rest, state: { ...state, arrivalMax: 5 } })),
    ),
    expected: ['snapshot-differs snapshot of page 4 arrivalMax'],
  },
  {
    name: 'a snapshot behind the last page',
    apply: onSnapshot(4, (item) =>
      snapshotOf(item, ({ state, ...rest }) => ({ ...rest, state: { ...state, page: 9 } })),
    ),
    expected: ['snapshot-differs snapshot of page 9'],
  },
];

const OF_STATES: readonly Damage[] = [
  { name: 'the state missing', apply: onState(() => undefined), expected: ['state-missing state'] },
  {
    name: 'a state that lies behind its pages',
    apply: (device) => ({ ...device, state: stateItem(stateAfterPages(device, PAGE_COUNT - 1)) }),
    expected: ['state-differs page'],
  },
  stateAttribute('page', { N: '5' }, 'too low', 'state-differs *'),
  stateAttribute('page', { N: '8' }, 'too high', 'page-missing *'),
  stateAttribute('page', { N: '2.5' }, 'that is not a whole number', 'state-damaged state'),
  stateAttribute('marks', GARBAGE, 'being garbage', 'state-damaged state'),
  stateAttribute('counts', undefined, 'missing', 'state-damaged state'),
  // High-water marks and others refer to what they would repeat.
  stateAttribute('arrivalMax', { N: '1' }, 'altered', 'state-differs arrivalMax', 'state-differs marks'),
  {
    name: 'the value of an attribute in the state',
    apply: onState((item) =>
      altered(item, { attributes: { M: { ...item.attributes?.M, speedMph: { N: '99' } } } }),
    ),
    expected: ['state-differs attributes.speedMph'],
  },
  {
    name: 'an attribute that only the state has',
    apply: onState((item) =>
      altered(item, {
        attributes: { M: { ...item.attributes?.M, extra: { N: '1' } } },
        versions: { S: (item.versions?.S ?? '').replace(/\["/, '["extra","') },
      }),
    ),
    expected: ['state-differs attributes.extra'],
  },
  {
    name: 'the version of attributes in the state',
    apply: onState((item) =>
      altered(item, { versions: { S: (item.versions?.S ?? '').replace(/"1\.1"/, '"1.0"') } }),
    ),
    expected: ['state-differs *'],
  },
  stateAttribute('status', { S: 'disconnected' }, 'altered', 'state-differs status'),
  stateAttribute('statusVersion', { S: '1.2' }, 'altered', 'state-differs status'),
  stateAttribute('site', { S: 'south' }, 'altered', 'state-attribute-differs site'),
  stateAttribute('site', undefined, 'missing', 'state-attribute-differs site'),
  stateAttribute('labels', { M: {} }, 'altered', 'state-attribute-differs labels'),
  stateAttribute('expiresAt', { N: '1' }, 'that nobody of us writes', 'state-attribute-differs expiresAt'),
  stateAttribute('lastEventTime', { S: '2026-01-01T00:00:00Z' }, 'altered'),
  stateAttribute('lastEventVersion', { S: '9.9' }, 'altered', 'state-differs lastEventTime'),
  stateAttribute(
    'lastArrivalTime',
    { N: '1' },
    'altered',
    'state-differs lastArrivalTime',
    'state-differs arrivalMax',
    'state-differs marks',
  ),
  stateAttribute('lastArrivalTime', undefined, 'missing', 'state-damaged state'),
  stateAttribute('position', undefined, 'missing'),
  {
    name: 'a high-water mark of the state',
    apply: onState((item) =>
      altered(item, { marks: { S: (item.marks?.S ?? '').replace(/:0(?=@|$)/, ':9') } }),
    ),
    expected: ['state-differs marks'],
  },
  stateAttribute('marks', { S: '' }, 'forgotten', 'state-damaged state'),
  stateAttribute('marksFloor', { N: '1' }, 'added'),
  stateAttribute('session', { N: '7' }, 'altered', 'state-differs current', 'state-differs lastEventTime'),
  stateAttribute('counter', { N: '7' }, 'altered', 'state-differs current', 'state-differs lastEventTime'),
  stateAttribute('ordinal', { N: '7' }, 'altered', 'state-differs ordinal', 'state-differs lastEventTime'),
  stateAttribute('ordinal', undefined, 'missing', 'state-differs ordinal', 'state-differs lastEventTime'),
  stateAttribute('counterRanges', { S: '2:1-4' }, 'altered', 'state-differs receipts'),
  stateAttribute('sessionFloor', { N: '1' }, 'added', 'state-differs receipts'),
  stateAttribute('corrections', undefined, 'forgotten', 'state-differs receipts'),
  stateAttribute('correctionsDropped', { N: '1' }, 'added', 'state-differs receipts'),
  ...['events', 'duplicates', 'late', 'gaps'].map(count),
];

/** Every kind of damage to what the tables hold of a device. */
export const DAMAGES: readonly Damage[] = [...OF_PAGES, ...OF_SNAPSHOTS, ...OF_STATES];

/** Whether what was found is what was expected: each once, but for those whose subject is `*`. */
export function isExpected(expected: readonly string[], found: readonly string[]): boolean {
  const exact = expected.filter((text) => !text.endsWith(' *'));
  const kinds = expected.filter((text) => text.endsWith(' *')).map((text) => text.slice(0, -1));
  const rest = found.filter((text) => !kinds.some((kind) => text.startsWith(kind)));
  return (
    kinds.every((kind) => found.some((text) => text.startsWith(kind))) &&
    JSON.stringify([...exact].sort()) === JSON.stringify([...rest].sort())
  );
}
