import type { IncomingHttpHeaders } from 'node:http';

/** Names of this machine to itself; `.localhost` never leaves it (RFC 6761, section 6.3). */
const LOCAL_HOST = /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::\d+)?$/i;

/**
 * True when a request names this machine. A web page that has its own name resolve to 127.0.0.1 (DNS rebinding) sends
 * that name, and is told apart by it. A client that names no host is no browser.
 */
export function isForThisMachine(headers: IncomingHttpHeaders): boolean {
  const host = headers.host ?? headers[':authority'];
  return typeof host !== 'string' || LOCAL_HOST.test(host);
}
