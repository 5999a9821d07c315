import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@twinstream/runtime';
import { answer, type LoopbackServer, listenOnLoopback, readBody } from '../http/loopback-server.ts';
import { type DocumentFault, parseFaultRules } from './fault-rules-document.ts';
import type { SeededFaultInjector } from './seeded-fault-injector.ts';

const BODY_BYTES_MAX = 256 * 1024;

export interface FaultControlOptions {
  readonly injector: SeededFaultInjector;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly logger: Logger;
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
 * problem documents (RFC 9457) that name each faulty field. It steers every stand-in that shares the injector.
 */
export function startFaultControl(options: FaultControlOptions): Promise<LoopbackServer> {
  const { injector, logger } = options;
  return listenOnLoopback(
    (request, response) => serve(request, response, injector, logger),
    options.port ?? 0,
    (error) => logger.error({ error }, 'fault control failed'),
  );
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  injector: SeededFaultInjector,
  logger: Logger,
): Promise<void> {
  const body = await readBody(request, BODY_BYTES_MAX);
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path !== '/faults') {
    return refuse(response, { status: 404, title: 'Not found', detail: 'the only resource is /faults' });
  }
  switch (request.method) {
    case 'GET':
      break;
    case 'DELETE':
      injector.replace([]);
      break;
    case 'PUT': {
      const problem = body === undefined ? TOO_LONG : replaceRules(injector, body);
      if (problem) return refuse(response, problem);
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
  if (request.method !== 'GET') logger.info({ rules: injector.report().length }, 'fault rules replaced');
  answer(
    response,
    200,
    { 'content-type': 'application/json' },
    `${JSON.stringify({ rules: injector.report() })}\n`,
  );
}

const TOO_LONG: Problem = {
  status: 413,
  title: 'Content too large',
  detail: `a rules document has at most ${BODY_BYTES_MAX} bytes`,
};

/** Undefined when the rules are set; otherwise nothing has changed. */
function replaceRules(injector: SeededFaultInjector, body: Buffer): Problem | undefined {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { status: 400, title: 'Not JSON', detail };
  }
  const parsed = parseFaultRules(document);
  if (parsed.kind === 'invalid') {
    const detail = parsed.faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
    return { status: 400, title: 'Invalid fault rules', detail, errors: parsed.faults };
  }
  injector.replace(parsed.rules);
  return undefined;
}

function refuse(response: ServerResponse, problem: Problem): void {
  answer(
    response,
    problem.status,
    { 'content-type': 'application/problem+json' },
    `${JSON.stringify({ type: 'about:blank', ...problem })}\n`,
  );
}
