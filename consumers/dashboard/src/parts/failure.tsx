import type { Failure } from '../api/request.ts';
import { Icon } from './icon.tsx';

/** Says why a change was not made, or that nobody knows whether it was. */
export function ChangeFailure({ failure }: { readonly failure: Failure | undefined }) {
  if (failure === undefined) return null;
  return (
    <p class="change-failure" role="alert">
      <Icon name="trouble" />
      <span>
        <strong>
          {failure.kind === 'unreachable' ? 'The outcome is unknown: the API does not answer' : failure.title}
          :
        </strong>{' '}
        {failure.detail}
      </span>
    </p>
  );
}
