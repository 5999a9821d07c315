import type { RejectionReason } from '@twinstream/device-model';
import type { Position } from '@twinstream/stream-model';
import type { PutOutcome } from '@twinstream/stream-producer';
import type { PlannedEvent, SendingFault } from './planned-event.ts';
import type { SimulatedRecord } from './simulated-record.ts';

/**
 * One line of the ledger: the outcome of one event. Lines come in the order of outcomes; `n` is the order of sending,
 * and within a device the order in which the stream first has them.
 */
export interface LedgerEntry {
  /** Place among all events of the run, from 1. Two copies of an event have two. */
  readonly n: number;
  readonly deviceId: string;
  /** Absent in corrections. */
  readonly session?: number;
  readonly counter?: number;
  readonly type: string;
  readonly time: string;
  /**
   * `acknowledged`: the stream has it, at `position`. `failed`: given up, for `reason`. `dropped`: not sent, because the
   * schedule could not be kept. `withheld`: not sent, because the `drop` fault struck it.
   */
  readonly result: 'acknowledged' | 'failed' | 'dropped' | 'withheld';
  /** Moments in milliseconds since 1970; the two later ones only of events that were handed to the producer and acknowledged. */
  readonly dueAtMs: number;
  readonly sentAtMs?: number;
  readonly acknowledgedAtMs?: number;
  readonly attempts?: number;
  readonly position?: Position;
  /** Code of the failure. */
  readonly reason?: string;
  /** Of a failed event: an attempt went unanswered, so that the stream may have it. */
  readonly possiblyStored?: boolean;
  readonly fault?: SendingFault;
  readonly clockSkewMs?: number;
  /** Of a malformed event: the reason with which it must be quarantined. */
  readonly rejection?: RejectionReason;
  /** The event as it was sent; absent when its bytes were damaged. */
  readonly event?: unknown;
  /** The bytes that were sent, for an invalid record. */
  readonly base64?: string;
}

/** A line of the ledger: the event stands in it byte for byte. */
export interface LedgerLine {
  /** All of the line, or what stands before the event. */
  readonly head: string;
  /** The event and a line end. What closes the line comes between them. */
  readonly event?: Uint8Array;
}

/** Line of an event that the producer never got. */
export function unsentLine(
  n: number,
  planned: PlannedEvent,
  result: 'dropped' | 'withheld',
  dueAtMs: number,
): LedgerLine {
  return lineOf(n, planned, `"result":"${result}","dueAtMs":${kept(dueAtMs)}`);
}

/** Line of an event that the producer refused to take. */
export function refusedLine(n: number, planned: PlannedEvent, dueAtMs: number, code: string): LedgerLine {
  return lineOf(n, planned, `"result":"failed","dueAtMs":${kept(dueAtMs)},"attempts":0,"reason":"${code}"`);
}

/** Line of an event that the producer has taken. */
export function outcomeLine(
  n: number,
  planned: PlannedEvent,
  outcome: PutOutcome<SimulatedRecord>,
  atMs: number,
): LedgerLine {
  const { record, attempts } = outcome;
  const sent = `"dueAtMs":${kept(record.dueAtMs)},"sentAtMs":${kept(record.sentAtMs)}`;
  if (outcome.status === 'failed') {
    const { reason, possiblyStored } = outcome;
    const how = `"attempts":${attempts},"reason":"${reason.code}","possiblyStored":${possiblyStored}`;
    return lineOf(n, planned, `"result":"failed",${sent},${how}`);
  }
  const { shardId, sequenceNumber, subSequenceNumber } = outcome.position;
  const position = `{"shardId":"${shardId}","sequenceNumber":"${sequenceNumber}","subSequenceNumber":${subSequenceNumber}}`;
  const acknowledged = `"acknowledgedAtMs":${kept(atMs)},"attempts":${attempts},"position":${position}`;
  return lineOf(n, planned, `"result":"acknowledged",${sent},${acknowledged}`);
}

/** Written by hand: it is made for every event. */
function lineOf(n: number, planned: PlannedEvent, fate: string): LedgerLine {
  const { deviceId, session, counter, type, time, fault, clockSkewMs, damaged } = planned;
  const identity = session === undefined ? '' : `"session":${session},"counter":${counter},`;
  const faults =
    (fault === undefined ? '' : `,"fault":"${fault}"`) +
    (clockSkewMs === undefined ? '' : `,"clockSkewMs":${clockSkewMs}`) +
    (damaged === undefined ? '' : `,"rejection":"${damaged.rejection}"`);
  const head = `"n":${n},"deviceId":${JSON.stringify(deviceId)},${identity}"type":${JSON.stringify(type)},"time":"${time}"`;
  const before = `{${head},${fate}${faults}`;
  return damaged === undefined
    ? { head: `${before},"event":`, event: planned.bytes }
    : { head: `${before},"base64":"${Buffer.from(damaged.bytes).toString('base64')}"}\n` };
}

/** Microseconds are as much as a clock is good for. */
function kept(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
