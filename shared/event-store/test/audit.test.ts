import { FOLD_VERSION, newDevice, planPage } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { auditPage, auditSnapshot } from '../src/audit.ts';
import { pageBody } from '../src/page-body.ts';
import { encodePage } from '../src/page-item.ts';
import { encodeSnapshot } from '../src/snapshot-item.ts';

const plan = planPage(newDevice(DEVICE), SHARDS[0], [
  arrivedEvent({ at: 1, session: 1, counter: 1 }),
  arrivedEvent({ at: 2, session: 1, counter: 2 }),
]);
if (plan.kind !== 'page') throw new Error('nothing is new');
const { page, next: state } = plan;
const item = encodePage(page);
const key = { page: 1, arrivalMaxBefore: 0 };

describe('the audit of a page', () => {
  test('shows the page, without a fault where all attributes say what the body says', () => {
    expect(auditPage(item)).toEqual({ kind: 'page', page, faults: [] });
  });

  test('names each attribute that does not, is missing, or is not written by this project', () => {
    const { shardId: _, ...lacking } = item;
    const audited = auditPage({ ...lacking, eventCount: { N: '7' }, expiresAt: { N: '1' } });
    expect(audited).toMatchObject({ kind: 'page', page });
    expect(audited.kind === 'page' && audited.faults.map(({ attribute }) => attribute).sort()).toEqual([
      'eventCount',
      'expiresAt',
      'shardId',
    ]);
  });

  test('tells damage from events of newer code, at the key where it stands', () => {
    expect(auditPage({ ...item, body: { S: 'garbage' } })).toMatchObject({
      ...{ kind: 'damaged', key, code: 'DAMAGED_PAGE', fault: expect.stringContaining('cannot be read') },
    });
    const newer = pageBody(page).replaceAll('"v":1,', '"v":9,');
    expect(auditPage({ ...item, body: { S: newer } })).toMatchObject({
      ...{ kind: 'damaged', key, code: 'UNKNOWN_EVENT_VERSION' },
    });
  });

  test('shows an item at another key as foreign', () => {
    expect(auditPage({ ...item, key: { S: 'EVENT#x' } })).toEqual({ kind: 'foreign', key: 'EVENT#x' });
  });
});

describe('the audit of a snapshot', () => {
  const snapshot = { foldVersion: FOLD_VERSION, state, receipts: state.receipts, eventTimeMax: 5 };
  const stored = encodeSnapshot(snapshot) ?? {};
  const audited = (changes: object, foldVersion = FOLD_VERSION) =>
    auditSnapshot({ ...stored, ...changes }, foldVersion);

  test('shows the snapshot, and each attribute that does not say what its key and body say', () => {
    expect(audited({})).toEqual({ kind: 'snapshot', snapshot, faults: [] });
    const faults = [{ attribute: 'arrivalMax' }, { attribute: 'expiresAt' }];
    expect(audited({ arrivalMax: { N: '1' }, expiresAt: { N: '1' } })).toMatchObject({ snapshot, faults });
  });

  test('names damage by the page of the key', () => {
    expect(audited({ body: { S: '{' } })).toMatchObject({
      ...{ kind: 'damaged', key: stored.key?.S, page: 1, fault: expect.stringContaining('cannot be read') },
    });
  });

  test('leaves out those of another fold version, and shows another key as foreign', () => {
    expect(audited({}, FOLD_VERSION + 1)).toBeUndefined();
    expect(audited({ key: { S: 'SNAPSHOT#1' } })).toEqual({ kind: 'foreign', key: 'SNAPSHOT#1' });
  });
});
