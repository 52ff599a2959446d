import { type ReactNode, useState } from 'react'
import { Icon } from './icon.tsx'

/** Text to take along. */
export const CodeBlock = ({ text }: { text: string }): ReactNode => {
  const [isCopied, setIsCopied] = useState(false)
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setIsCopied(true)
      setTimeout(() => setIsCopied(false), 2_000)
    })
  }
  return (
    <div className="flex min-w-0 items-start rounded-md bg-sunken">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key. */}
      <pre tabIndex={0} className="min-w-0 flex-1 overflow-x-auto py-3 pl-4 font-mono text-[0.8125rem] leading-5">
        <code>{text}</code>
      </pre>
      <button type="button" onClick={copy} className="field m-1.5 flex shrink-0 items-center gap-1.5 text-xs">
        <Icon name={isCopied ? 'check' : 'copy'} className="size-3.5" />
        <span aria-live="polite">{isCopied ? 'Copied' : 'Copy'}</span>
      </button>
    </div>
  )
}
