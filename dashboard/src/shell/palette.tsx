import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react'
import { useCarried } from '../state/use-view.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { pathOf } from '../ui/view-link.tsx'
import { pages } from './pages.ts'

interface Choice {
  readonly id: string
  readonly title: string
  readonly icon: IconName
  readonly to: string
  readonly search?: { readonly q: string }
}

/** Anywhere, from the keyboard: a page by its name, a run or a session by its id, a price by its model. */
export const Palette = ({ onClose }: { onClose: () => void }): ReactNode => {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const navigate = useNavigate()
  const carry = useCarried()
  const list = useId()
  const choices = choicesFor(text.trim())
  const current = choices[Math.min(at, choices.length - 1)]

  const go = (choice: Choice | undefined): void => {
    if (choice === undefined) return
    onClose()
    void navigate({ to: choice.to, search: carry(choice.search ?? {}) as never })
  }
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setAt((Math.min(at, choices.length - 1) + step + choices.length) % choices.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(current)
    }
  }
  return (
    <div>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={current === undefined ? undefined : `${list}-${current.id}`}
        aria-label="Go to a page, a run, a session or a model"
        placeholder="Go to a page, a run, a session, a model…"
        className="w-full border-b border-line bg-transparent px-5 py-4 text-base outline-none placeholder:text-ink-3"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={press}
        // biome-ignore lint/a11y/noAutofocus: a person opened this to type.
        autoFocus
      />
      <div id={list} role="listbox" aria-label="Places" className="max-h-80 overflow-auto p-2">
        {choices.map((choice) => (
          <div
            key={choice.id}
            id={`${list}-${choice.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={choice === current}
            onClick={() => go(choice)}
            onKeyDown={press}
            className="flex cursor-pointer items-center gap-3 rounded-md px-3 py-2 hover:bg-sunken aria-selected:bg-sunken"
          >
            <Icon name={choice.icon} className="size-4 text-ink-3" />
            <bdi className="truncate">{choice.title}</bdi>
          </div>
        ))}
      </div>
    </div>
  )
}

const choicesFor = (text: string): readonly Choice[] => {
  const found = pages
    .filter((page) => page.title.toLowerCase().includes(text.toLowerCase()))
    .map((page) => ({ id: page.key, title: page.title, icon: page.icon, to: page.path }))
  if (text === '') return found
  return [
    ...found,
    { id: 'run', title: `Run ${text}`, icon: 'runs', to: pathOf('/runs', text) },
    { id: 'session', title: `Session ${text}`, icon: 'sessions', to: pathOf('/sessions', text) },
    { id: 'price', title: `Price of ${text}`, icon: 'prices', to: '/prices', search: { q: text } },
  ]
}
