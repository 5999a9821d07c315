import type { ComponentChildren } from 'preact';
import type { Failure } from '../api/request.ts';
import { Icon, type IconName } from './icon.tsx';

interface NoticeProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Says in the place of content why there is none, and what to do. */
export function Notice({ icon, title, children }: NoticeProps) {
  return (
    <div class="notice">
      <Icon name={icon} />
      <p class="notice-title">{title}</p>
      {children !== undefined && <div class="notice-text">{children}</div>}
    </div>
  );
}

/** Says over content that it could be read before, and cannot be read again. */
export function StaleNote({ failure }: { readonly failure: Failure | undefined }) {
  // That nobody answers at all is said for the whole page.
  if (failure === undefined || failure.kind !== 'refused' || failure.status === 401) return null;
  return (
    <p class="stale-note" role="status">
      <Icon name="trouble" />
      <span>
        <strong>What you see is out of date and could not be read again. {failure.title}:</strong>{' '}
        {failure.detail}
      </span>
    </p>
  );
}

/** A failure in words. */
export function FailureNotice({ failure, what }: { readonly failure: Failure; readonly what: string }) {
  if (failure.kind === 'unreachable') {
    return (
      <Notice icon="lost" title={`${what} cannot be read: the API does not answer`}>
        {failure.detail}. This page tries again by itself.
      </Notice>
    );
  }
  return (
    <Notice icon={failure.status === 401 ? 'locked' : 'trouble'} title={failure.title}>
      {failure.detail}
    </Notice>
  );
}
