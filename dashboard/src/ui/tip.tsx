import { Popover, Tooltip } from 'radix-ui'
import type { ReactElement, ReactNode } from 'react'

/** A few words about what they are put on; on focus as well as under the pointer. */
export const Tip = ({ text, children }: { text: ReactNode; children: ReactElement }): ReactNode => (
  <Tooltip.Root>
    <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
    <Tooltip.Portal>
      <Tooltip.Content
        sideOffset={6}
        collisionPadding={8}
        className="z-50 max-w-72 rounded-md bg-ink px-2.5 py-1.5 text-xs text-paper shadow-lg"
      >
        {text}
      </Tooltip.Content>
    </Tooltip.Portal>
  </Tooltip.Root>
)

interface DropProps {
  readonly trigger: ReactElement
  readonly label: string
  readonly align?: 'start' | 'center' | 'end'
  readonly children: ReactNode
}

/** A small panel that opens from a button: by click, touch or key, closed by Escape. */
export const Drop = ({ trigger, label, align = 'start', children }: DropProps): ReactNode => (
  <Popover.Root>
    <Popover.Trigger asChild>{trigger}</Popover.Trigger>
    <Popover.Portal>
      <Popover.Content
        aria-label={label}
        align={align}
        sideOffset={6}
        collisionPadding={8}
        className="z-50 max-h-[var(--radix-popover-content-available-height)] w-max max-w-[min(24rem,calc(100vw-1rem))] overflow-auto rounded-lg border border-line bg-surface p-3 text-[0.8125rem] shadow-xl"
      >
        {children}
      </Popover.Content>
    </Popover.Portal>
  </Popover.Root>
)

export const DropClose = Popover.Close
