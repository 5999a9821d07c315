import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@twinstream/runtime';
import {
  answer,
  type LoopbackServer,
  listenOnLoopback,
  type RequestHandler,
  readBody,
} from '../http/loopback-server.ts';
import type { FaultRule } from './fault-rule.ts';
import { type DocumentFault, parseFaultRules } from './fault-rules-document.ts';
import type { RemoteFaults } from './remote-faults.ts';
import type { FaultRuleReport, SeededFaultInjector } from './seeded-fault-injector.ts';

const BODY_BYTES_MAX = 256 * 1024;

/** Path of the one resource. */
export const FAULTS_PATH = '/faults';

export interface FaultSteering {
  readonly injector: SeededFaultInjector;
  /** Injectors of other processes, which get the same rules: each strikes the services that it is asked about. */
  readonly others?: readonly RemoteFaults[];
  readonly logger: Logger;
}

export interface FaultControlOptions extends FaultSteering {
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly DocumentFault[];
}

/**
 * The one place that sets faults while everything runs: `GET /faults` shows the rules with what they have injected,
 * `PUT /faults` replaces them all, `DELETE /faults` removes them. Bodies are `{"rules": [FaultRule, …]}`; errors are
 * problem documents (RFC 9457) that name each faulty field. It steers every emulator that shares the injector, and the
 * others; when it answers, the rules are in force everywhere.
 */
export function startFaultControl(options: FaultControlOptions): Promise<LoopbackServer> {
  return listenOnLoopback(faultControl(options), options.port ?? 0, (error) =>
    options.logger.error({ error }, 'fault control failed'),
  );
}

/** Serves {@link FAULTS_PATH}, for a server that has others to serve too. */
export function faultControl(steering: FaultSteering): RequestHandler {
  return (request, response) => serve(request, response, steering);
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  steering: FaultSteering,
): Promise<void> {
  const body = await readBody(request, BODY_BYTES_MAX);
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path !== FAULTS_PATH) {
    return refuse(response, { status: 404, title: 'Not found', detail: 'the only resource is /faults' });
  }
  switch (request.method) {
    case 'GET':
      break;
    case 'DELETE':
      await replace(steering, []);
      break;
    case 'PUT': {
      const rules = body === undefined ? TOO_LONG : rulesOf(body);
      if ('status' in rules) return refuse(response, rules);
      await replace(steering, rules);
      break;
    }
    default:
      response.setHeader('allow', 'GET, PUT, DELETE');
      return refuse(response, {
        status: 405,
        title: 'Method not allowed',
        detail: 'use GET, PUT or DELETE',
      });
  }
  const rules = await report(steering);
  if (request.method !== 'GET') steering.logger.info({ rules: rules.length }, 'fault rules replaced');
  answer(response, 200, { 'content-type': 'application/json' }, `${JSON.stringify({ rules })}\n`);
}

async function replace({ injector, others = [] }: FaultSteering, rules: readonly FaultRule[]): Promise<void> {
  injector.replace(rules);
  await Promise.all(others.map((other) => other.replace(rules)));
}

/** What each rule has done in all processes together. */
async function report({ injector, others = [] }: FaultSteering): Promise<readonly FaultRuleReport[]> {
  const reports = await Promise.all(others.map((other) => other.report()));
  return injector.report().map((own, index) => ({
    ...own,
    matched: reports.reduce((sum, rules) => sum + (rules[index]?.matched ?? 0), own.matched),
    injected: reports.reduce((sum, rules) => sum + (rules[index]?.injected ?? 0), own.injected),
  }));
}

const TOO_LONG: Problem = {
  status: 413,
  title: 'Content too large',
  detail: `a rules document has at most ${BODY_BYTES_MAX} bytes`,
};

/** The rules of a document, or what is wrong with it. */
function rulesOf(body: Buffer): readonly FaultRule[] | Problem {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { status: 400, title: 'Not JSON', detail };
  }
  const parsed = parseFaultRules(document);
  if (parsed.kind === 'rules') return parsed.rules;
  const detail = parsed.faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return { status: 400, title: 'Invalid fault rules', detail, errors: parsed.faults };
}

function refuse(response: ServerResponse, problem: Problem): void {
  answer(
    response,
    problem.status,
    { 'content-type': 'application/problem+json' },
    `${JSON.stringify({ type: 'about:blank', ...problem })}\n`,
  );
}
