import type { Item } from '@twinstream/aws/dynamodb';
import { systemClock } from '@twinstream/runtime';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { DAMAGES, type Damage, isExpected } from '../contract/damages.ts';
import { type StoredDevice, storedDevice, storesOf } from '../contract/stored-device.ts';
import { verifyDevices } from '../src/verify-devices.ts';

const DEVICE_COUNT = 5;

let devices: readonly StoredDevice[];

beforeAll(async () => {
  devices = await Promise.all(
    Array.from({ length: DEVICE_COUNT }, (_, index) => storedDevice(`bus-${index}`)),
  );
});

/** What verification says, by device. */
async function differencesOf(stored: readonly StoredDevice[]): Promise<Map<string, readonly string[]>> {
  const ids = stored.map(({ deviceId }) => deviceId);
  const clock = { ...systemClock, sleep: async () => undefined };
  const { differences } = await verifyDevices(storesOf(stored), ids, { clock });
  const byDevice = Map.groupBy(differences, ({ deviceId }) => deviceId);
  return new Map(
    [...byDevice].map(([id, found]) => [id, found.map(({ kind, subject }) => `${kind} ${subject}`)]),
  );
}

function device(index: number): StoredDevice {
  const found = devices[index];
  if (found === undefined) throw new RangeError(`no device ${index}`);
  return found;
}

describe('a damaged store', () => {
  test('has no difference before it is damaged', async () => {
    expect(await differencesOf(devices)).toEqual(new Map());
  });

  test.each(DAMAGES)('shows $name, and nothing else', async ({ apply, expected }) => {
    const found = (await differencesOf([apply(device(0))])).get('bus-0') ?? [];
    expect(isExpected(expected, found), `expected ${expected.join('; ')}, found ${found.join('; ')}`).toBe(
      true,
    );
  });

  const single = DAMAGES.filter(({ isSingle }) => isSingle === true);
  const ofOneDevice: fc.Arbitrary<readonly Damage[]> = fc.oneof(
    fc.constantFrom(...DAMAGES).map((damage) => [damage]),
    fc.uniqueArray(fc.constantFrom(...single), {
      maxLength: 6,
      // Two damages to one attribute would be one.
      selector: ({ expected }) => expected.join(),
    }),
  );

  test('shows exactly its damage, however many devices are damaged and however often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(ofOneDevice, { minLength: DEVICE_COUNT, maxLength: DEVICE_COUNT }),
        async (damages) => {
          const damaged = damages.map((ofDevice, index) =>
            ofDevice.reduce((stored, { apply }) => apply(stored), device(index)),
          );
          const found = await differencesOf(damaged);
          for (const [index, ofDevice] of damages.entries()) {
            const expected = ofDevice.flatMap((damage) => damage.expected);
            const ofIt = found.get(`bus-${index}`) ?? [];
            expect(isExpected(expected, ofIt), `${expected.join('; ')} / ${ofIt.join('; ')}`).toBe(true);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('shows any attribute of any item that was altered or is missing', async () => {
    const stored = device(0);
    const unnoticed: string[] = [];
    for (const { what, damaged } of [...damagedEvents(stored), ...damagedStates(stored)]) {
      if ((await differencesOf([damaged])).size === 0) unnoticed.push(what);
    }
    // A snapshot need not say its latest device time: reads then begin at an older one.
    expect(unnoticed).toEqual(['eventTimeMax missing', 'eventTimeMax missing']);
  });

  test('shows nothing where snapshots are missing, or are of another fold version: nobody needs them', async () => {
    const stored = device(0);
    const isOfPage = ({ key }: StoredDevice['events'][number]) => key?.S?.startsWith('EVENT#') === true;
    const other = { deviceId: { S: 'bus-0' }, key: { S: 'SNAPSHOT#000000#0000000000007#000000000001' } };
    expect(await differencesOf([{ ...stored, events: stored.events.filter(isOfPage) }])).toEqual(new Map());
    expect(await differencesOf([{ ...stored, events: [...stored.events, other] }])).toEqual(new Map());
  });
});

type AttributeValue = Item[string];

interface DamagedDevice {
  readonly what: string;
  readonly damaged: StoredDevice;
}

const KEYS = ['deviceId', 'key'];

function* damagedEvents(stored: StoredDevice): Generator<DamagedDevice> {
  for (const [at, item] of stored.events.entries()) {
    for (const [what, damagedItem] of damagedItems(item)) {
      yield { what, damaged: { ...stored, events: stored.events.with(at, damagedItem) } };
    }
  }
}

function* damagedStates(stored: StoredDevice): Generator<DamagedDevice> {
  for (const [what, state] of damagedItems(stored.state ?? {})) yield { what, damaged: { ...stored, state } };
}

function* damagedItems(item: Item) {
  for (const [name, value] of Object.entries(item)) {
    if (KEYS.includes(name)) continue;
    const { [name]: _, ...lacking } = item;
    yield [`${name} missing`, lacking] as const;
    yield [`${name} altered`, { ...item, [name]: alteredValue(value) }] as const;
    yield [`${name} of another type`, { ...item, [name]: { BOOL: true } }] as const;
  }
}

function alteredValue(value: AttributeValue): AttributeValue {
  if (value.N !== undefined) return { N: String(Number(value.N) + 1) };
  if (value.S !== undefined) return { S: `${value.S}1` };
  if (value.M !== undefined) return { M: { ...value.M, extra: { N: '1' } } };
  return { S: 'altered' };
}
