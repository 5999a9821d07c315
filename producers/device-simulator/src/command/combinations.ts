import { SENDING_FAULTS } from '../sending/planned-event.ts';
import { FLEET_SETTINGS, flagOf, RECORDING_SETTINGS, type SettingName, type Settings } from './settings.ts';

/** Default deadline after which the producer gives an event up: see `StreamProducerOptions.deadlineMs`. */
const PRODUCER_DEADLINE_MS = 300_000;

/** Settings of which the second means nothing without the first. */
const NEEDS: readonly (readonly [SettingName, SettingName])[] = [
  ['timeColumn', 'idColumn'],
  ['idColumn', 'timeColumn'],
  ['idColumn', 'typeColumn'],
  ['idColumn', 'sessionColumn'],
  ['counterColumn', 'sessionColumn'],
  ['sessionColumn', 'counterColumn'],
  ['aggregate', 'mixedAggregates'],
];

const EXCLUSIVE: readonly (readonly [SettingName, SettingName])[] = [
  ['duration', 'count'],
  ['rate', 'speed'],
  // A raw line is not read as an event, nor damaged as one.
  ['raw', 'idColumn'],
  ['raw', 'order'],
  ['raw', 'speed'],
  ['raw', 'utcOffset'],
  ['raw', 'malformed'],
];

/** What does not go together, one line each, for people. */
export function faultsOfCombination(settings: Settings): readonly string[] {
  const has = (name: SettingName): boolean => settings[name] !== undefined;
  const isRecording = has('input');
  const misplaced = (isRecording ? FLEET_SETTINGS : RECORDING_SETTINGS).filter(has);
  const shares = SENDING_FAULTS.map((fault) => settings[fault] ?? 0);
  const faultShare = shares.reduce((sum, share) => sum + share, 0);
  return [
    ...misplaced.map((name) =>
      isRecording
        ? `${flagOf(name)} belongs to a simulated fleet, and cannot be given with --input`
        : `${flagOf(name)} needs --input`,
    ),
    ...EXCLUSIVE.filter(([one, other]) => has(one) && has(other)).map(
      ([one, other]) => `${flagOf(one)} and ${flagOf(other)} exclude each other`,
    ),
    ...NEEDS.filter(([needed, by]) => has(by) && !has(needed)).map(
      ([needed, by]) => `${flagOf(by)} needs ${flagOf(needed)}`,
    ),
    ...(['ramp', 'burst'] as const)
      .filter((name) => has(name) && (settings.rate === 'max' || (isRecording && !has('rate'))))
      .map((name) => `${flagOf(name)} needs a --rate in events per second`),
    ...((settings.linger ?? 0) >= (settings.deadline ?? PRODUCER_DEADLINE_MS)
      ? ['--linger must be shorter than --deadline: an event would be given up before it is sent']
      : []),
    // Percentages are decimal, their shares are not: a rounded sum must not be refused.
    ...(faultShare > 1 + 1e-9
      ? [
          `${SENDING_FAULTS.map(flagOf).join(', ')} must not be more than 100 % together: an event suffers one at most`,
        ]
      : []),
  ];
}
