import type { ComponentChildren } from 'preact';
import { type AddressChange, hrefWith, navigate } from '../session/address.ts';

interface LinkProps {
  readonly to: AddressChange;
  readonly class?: string;
  readonly current?: boolean;
  readonly tabIndex?: number;
  readonly label?: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

/** A link within the page: a real one, which opens in a new tab as any other does. */
export function Link({ to, current = false, tabIndex, label, title, children, ...rest }: LinkProps) {
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a
      href={hrefWith(to)}
      class={rest.class}
      onClick={onClick}
      {...(current ? { 'aria-current': 'page' as const } : {})}
      {...(tabIndex === undefined ? {} : { tabIndex })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(title === undefined ? {} : { title })}
    >
      {children}
    </a>
  );
}
