import { type ReactNode, useId } from 'react'
import { intervals } from '../../state/buckets.ts'
import { attributes, attributeTitle, measureInfo, measures } from '../../state/measures.ts'
import { useSetView } from '../../state/use-view.ts'
import { Select } from '../../ui/controls.tsx'
import { Icon } from '../../ui/icon.tsx'
import { type Asked, byMax, measuresMax } from './use-asked.ts'

/** The question as a sentence: show …, by …, each …, the top …. */
export const QuestionForm = ({ asked }: { asked: Asked }): ReactNode => {
  const setView = useSetView()
  // With neither in the address the page asks for cost by agent; once one is chosen, both are written out.
  const set = (patch: { measure?: readonly string[]; by?: readonly string[] }): void =>
    setView(
      { measure: (patch.measure ?? asked.measures).join(','), by: (patch.by ?? asked.by).join(',') || undefined, sort: undefined },
      { replace: true },
    )
  return (
    <section
      aria-label="Question"
      className="flex flex-wrap items-center gap-x-6 gap-y-3 rounded-lg border border-line bg-surface px-4 py-3"
    >
      <Words
        title="Show"
        words={asked.measures}
        most={measuresMax}
        titleOf={(name) => measureInfo(name).title}
        options={measures.map(({ name, title }) => ({ value: name, title }))}
        onChange={(measure) => measure.length > 0 && set({ measure })}
        isRequired
      />
      <Words
        title="by"
        words={asked.by}
        most={byMax}
        titleOf={attributeTitle}
        options={attributes.map(({ name, title }) => ({ value: name, title }))}
        onChange={(by) => set({ by })}
      />
      <TagWord onAdd={(tag) => asked.by.length < byMax && set({ by: [...asked.by, tag] })} />
      <Select
        label="each"
        isLabelShown
        value={asked.interval ?? ''}
        options={[{ value: '', title: 'whole period' }, ...intervals.map((interval) => ({ value: interval, title: interval }))]}
        onChange={(interval) => setView({ interval: interval === '' ? undefined : interval, sort: undefined }, { replace: true })}
      />
      <Select
        label="top"
        isLabelShown
        value={String(asked.top)}
        options={[5, 10, 20, 50, 100, 500, 1_000].map((top) => ({ value: String(top), title: String(top) }))}
        onChange={(top) => setView({ top }, { replace: true })}
      />
    </section>
  )
}

interface WordsProps {
  readonly title: string
  readonly words: readonly string[]
  readonly most: number
  readonly titleOf: (word: string) => string
  readonly options: readonly { readonly value: string; readonly title: string }[]
  readonly onChange: (words: readonly string[]) => void
  readonly isRequired?: boolean
}

const Words = ({ title, words, most, titleOf, options, onChange, isRequired = false }: WordsProps): ReactNode => (
  <fieldset className="flex min-w-0 flex-wrap items-center gap-1.5">
    <legend className="sr-only">{title}</legend>
    <span aria-hidden="true" className="text-xs text-ink-3">
      {title}
    </span>
    {words.map((word) => (
      <span key={word} className="flex h-8 items-center rounded-md bg-sunken pl-2.5 text-[0.8125rem] font-medium">
        <bdi>{titleOf(word)}</bdi>
        {isRequired && words.length === 1 ? (
          <span className="w-2.5" />
        ) : (
          <button
            type="button"
            aria-label={`Without ${titleOf(word)}`}
            className="flex h-full items-center px-2 text-ink-3 hover:text-ink"
            onClick={() => onChange(words.filter((each) => each !== word))}
          >
            <Icon name="close" className="size-3" />
          </button>
        )}
      </span>
    ))}
    {words.length < most && (
      <Select
        label={`Add to ${title}`}
        value=""
        options={[{ value: '', title: '+ add' }, ...options.filter(({ value }) => !words.includes(value))]}
        onChange={(word) => word !== '' && onChange([...words, word])}
        className="[&_select]:w-20"
      />
    )}
  </fieldset>
)

/** Tags have names of the user's own, so that they are typed. */
const TagWord = ({ onAdd }: { onAdd: (name: string) => void }): ReactNode => {
  const id = useId()
  return (
    <form
      className="flex items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        const input = new FormData(event.currentTarget).get('tag')
        const key = String(input ?? '').trim()
        if (/^[\w.-]{1,64}$/.test(key)) onAdd(`tag.${key}`)
        event.currentTarget.reset()
      }}
    >
      <label htmlFor={id} className="text-xs text-ink-3">
        or tag
      </label>
      <input id={id} name="tag" placeholder="plan" className="field w-24" autoComplete="off" />
    </form>
  )
}
