import { addRecordLine } from './account-for.ts';
import { type ComparisonStage, readIdentityLine } from './comparison-stage.ts';

/** A stored event, and whether the archive has it. */
interface Stored {
  readonly position: string;
  readonly content: string;
  readonly arrivalTime: number;
  isFound: boolean;
  /** Archived lines of its position with another text. */
  differing: number;
  /** Whether an earlier version of a mapping, or an operator, made this text of its entry. */
  isOtherwiseMade: boolean;
}

/**
 * Walks stored and archived events by device and identity. What only one side has goes on by its record: it may be a dead
 * letter, or given up.
 */
export async function compareIdentities(stage: ComparisonStage): Promise<void> {
  const { identities, counts, differences, records, options } = stage;
  let deviceId: string | undefined;
  let isDeviceThere = false;
  let identity: string | undefined;
  let lastArchived = '';
  let stored: Stored[] = [];

  const settle = (): void => {
    for (const { position, arrivalTime, isFound, differing, isOtherwiseMade } of stored) {
      for (let left = isOtherwiseMade ? 0 : differing; left > 0; left -= 1) {
        const [expected, found] = ['the stored event', 'another text'];
        differences.push({
          ...{ deviceId: deviceId ?? '', kind: 'archive-differs', subject: position, expected, found },
        });
      }
      if (isFound) counts.eventsFound += 1;
      else if (arrivalTime >= options.dueBefore) counts.eventsNotDue += 1;
      else addRecordLine(records, position, { kind: 'stored', deviceId: deviceId ?? '' });
    }
    stored = [];
    lastArchived = '';
  };

  for await (const { line } of identities.sorted()) {
    options.signal.throwIfAborted();
    const next = readIdentityLine(line);
    if (next.deviceId !== deviceId || next.identity !== identity) settle();
    if (next.deviceId !== deviceId) isDeviceThere = false;
    ({ deviceId, identity } = next);
    const { position, content, last } = next;
    if (identity === '') {
      isDeviceThere = true;
      continue;
    }
    if (next.isStored) {
      stored.push({
        ...{ position, content, arrivalTime: Number(last) },
        ...{ isFound: false, differing: 0, isOtherwiseMade: false },
      });
      continue;
    }
    const isAnotherText = position === lastArchived;
    const isEarlier = last === 'earlier';
    const isRedriven = last.startsWith('redriven');
    const isCounted = (last === 'finished' || last === 'not-finished') && !isAnotherText;
    if (isCounted) counts.positions += 1;
    if (!isEarlier) lastArchived = position;
    const same = stored.find((one) => one.position === position);
    if (same !== undefined) {
      same.isFound ||= last !== 'redriven-only';
      const isEqual = same.content === content;
      if (isEqual && (isEarlier || isRedriven)) same.isOtherwiseMade = true;
      if (isEqual && isEarlier) addRecordLine(records, position, { kind: 'earlier' });
      if (!isEqual && !isEarlier) same.differing += 1;
    } else if (stored.length > 0) {
      if (isCounted) counts.duplicates += 1;
      if (isEarlier) addRecordLine(records, position, { kind: 'earlier' });
    } else if (isEarlier) continue;
    else if (last === 'not-finished') counts.notFinished += isCounted ? 1 : 0;
    else if (last !== 'redriven-later') {
      const name: string = JSON.parse(identity);
      addRecordLine(records, position, { kind: 'missing', deviceId, isDeviceThere, identity: name });
    }
  }
  settle();
}
