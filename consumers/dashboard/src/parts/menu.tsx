import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

interface MenuProps {
  readonly label: string;
  readonly icon: IconName;
  readonly isOn?: boolean;
  readonly children: ComponentChildren;
}

/** A panel below a button. Escape and whatever lies outside close it. */
export function Menu({ label, icon, isOn = false, children }: MenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (menu.current !== null && event.target instanceof Node && !menu.current.contains(event.target))
        menu.current.open = false;
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, []);
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || menu.current === null) return;
        menu.current.open = false;
        menu.current.querySelector('summary')?.focus();
      }}
    >
      <summary class={`button ${isOn ? 'is-accent' : ''}`}>
        <Icon name={icon} />
        {label}
      </summary>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the links in it have the keys. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a key on a link is a click, too. */}
      <div
        class="menu-panel card"
        onClick={(event) => {
          const isLink = event.target instanceof Element && event.target.closest('a') !== null;
          if (isLink && menu.current !== null) menu.current.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
