import { isRead, type LateRequest, type Process, type Request } from './process.ts';
import type { Worker } from './worker.ts';

/** One thing that can happen next. */
export interface Step {
  readonly label: string;
  readonly take: () => void;
  /** Whose it is; absent where a request lands whose process does not wait for it. */
  readonly process?: Process;
  /** `own`: a fault that touches the memory of its process alone. `shared`: any other fault. */
  readonly fault?: 'own' | 'shared';
}

export interface Situation {
  readonly workers: readonly Worker[];
  /** Abandoned writes. */
  readonly late: LateRequest[];
  /** Whether a fault may still strike. */
  readonly isHostile: boolean;
  /** A request failed where it took effect: the stores in memory never do. */
  readonly onError: (error: unknown) => void;
}

/** All that can happen next, in an order that depends on the situation alone; what goes right comes first. */
export function possibleSteps(situation: Situation): Step[] {
  const { workers, late, isHostile, onError } = situation;
  const landings = late.map(({ owner, request }, index) => ({
    label: `${owner}: ${request.operation} lands late`,
    take: () => {
      late.splice(index, 1);
      request.effect().catch(onError);
    },
  }));
  const faults = isHostile ? workers.flatMap((worker) => faultsOf(situation, worker)) : [];
  return [...workers.flatMap((worker) => nextSteps(situation, worker)), ...landings, ...faults];
}

function nextSteps({ onError }: Situation, { process }: Worker): Step[] {
  return process.requests.map((request) => {
    const { reply, operation } = request;
    return reply === undefined
      ? { process, label: `${process.owner}: ${operation} lands`, take: () => land(request, onError) }
      : {
          process,
          label: `${process.owner}: answer to ${operation} arrives`,
          take: () => process.tell(request, reply),
        };
  });
}

function land(request: Request, onError: (error: unknown) => void): void {
  request.effect().then((answer) => {
    request.reply = { kind: 'answered', answer };
  }, onError);
}

/**
 * Everything that can go wrong now. Left out are faults whose every consequence another step has: a read has no effect that
 * could come late, twice or without its answer, and a process that dies after a read remembers as little of it as one
 * that dies before.
 */
function faultsOf({ onError }: Situation, worker: Worker): Step[] {
  const { process } = worker;
  const fault = (kind: 'own' | 'shared', what: string, take: () => void): Step => ({
    label: `${process.owner}: ${what}`,
    take,
    process,
    fault: kind,
  });
  const steps = process.requests.flatMap((request) => {
    const { operation, reply } = request;
    const refuse = (code: string) => {
      request.reply = { kind: 'refused', code };
    };
    if (reply !== undefined) {
      return isRead(request)
        ? []
        : [fault('own', `${operation} is done, and the process dies`, () => worker.crash(request))];
    }
    const ofAny = [
      fault('own', `${operation} is throttled`, () => refuse('THROTTLED')),
      fault('own', `${operation} never leaves, the process dies`, () => worker.crash(request)),
    ];
    if (isRead(request)) return ofAny;
    return [
      ...ofAny,
      fault('own', `${operation} is given up and lands later`, () => {
        process.landLater(request);
        refuse('CONNECTION_LOST');
      }),
      fault('own', `${operation} is on its way when the process dies`, () => {
        process.landLater(request);
        worker.crash(request);
      }),
      fault('shared', `${operation} lands, and its answer is lost`, () => {
        request.effect().then(() => refuse('CONNECTION_LOST'), onError);
      }),
      fault('shared', `${operation} lands, and is sent again`, () => {
        request.isRepeated = true;
        request.effect().catch(onError);
      }),
    ];
  });
  return process.hasDeadline
    ? [...steps, fault('own', 'the deadline strikes', () => process.strikeDeadline())]
    : steps;
}
