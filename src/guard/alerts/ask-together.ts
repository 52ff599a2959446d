import type { Ask } from '../../analysis/spending.ts'
import { type AnswerRow, answerOf, emptySums } from '../../core/answer.ts'
import { byMax, type Filter, filterValuesMax, type Measure, type Question, segmentBreakdowns } from '../../core/question.ts'

export type AskRows = (question: Question) => Promise<readonly AnswerRow[]>

/**
 * Questions that are put at one moment, as few to the ledger: those that differ in their measures alone are one, and so are those
 * that differ in the value of a filter, broken down by its attribute. A row may have more columns than were asked for.
 *
 * They are put one after the other, so that who looks at the ledger meanwhile waits for one of them at most.
 */
export const askTogether = (ask: Ask): AskRows => {
  let waiting: Waiting[] = []
  let last: Promise<unknown> = Promise.resolve()

  const put = async ({ question, members }: Together): Promise<void> => {
    try {
      const { rows } = await ask(question)
      for (const member of members) member.resolve(rowsFor(member, rows))
    } catch (error) {
      const [only] = members
      if (members.length === 1) only?.reject(error)
      // Together they may have too many rows, and each by itself not.
      else for (const member of members) await put(widened([member], member.filter))
    }
  }
  const putAll = (): void => {
    const together = togetherOf(waiting)
    waiting = []
    for (const each of together) last = last.then(() => put(each))
  }

  return (question) =>
    new Promise((resolve, reject) => {
      // What rules ask before they wait for anything is all there before the event loop goes on.
      if (waiting.length === 0) setImmediate(putAll)
      waiting.push({ question, ...widerOf(question), resolve, reject })
    })
}

interface Waiting extends Wider {
  readonly question: Question
  readonly resolve: (rows: readonly AnswerRow[]) => void
  readonly reject: (error: unknown) => void
}

/** A wider question that one is a part of: broken down by the attribute of a filter, and without the filter. */
interface Wider {
  readonly wider: Omit<Question, 'measures'>
  readonly filter: Filter | undefined
  /** The same for all that can be put together. */
  readonly key: string
}

interface Together {
  readonly question: Question
  readonly members: readonly Waiting[]
}

/** A call has at most one value of each of these; of units it has several. */
const single: ReadonlySet<string> = new Set(segmentBreakdowns.filter((name) => name !== 'unit'))

const widerOf = ({ measures, ...question }: Question): Wider => {
  const { by, where, interval, top } = question
  // Without a breakdown every bucket has a row, also of nothing.
  const canWiden = by.length < byMax && top === undefined && (by.length > 0 || interval === undefined)
  const filter = canWiden ? where.find((each) => isWidened(each) && !by.includes(each.by)) : undefined
  const wider = {
    ...question,
    by: filter === undefined ? by : [...by, filter.by].sort(),
    where: where.filter((each) => each !== filter),
  }
  return { wider, filter, key: JSON.stringify([{ ...wider, by: wider.by.toSorted() }, top === undefined ? kindsOf(measures) : measures]) }
}

const isWidened = ({ by, values, isNot }: Filter): boolean => values.length === 1 && isNot !== true && single.has(by)

/** Runs are counted where they began, and latencies apart from all else: only questions of the same kinds have the same rows. */
const kindsOf = (measures: readonly Measure[]): readonly string[] => [
  ...new Set(
    measures.map((measure) => (measure.startsWith('latency') ? 'latency' : /Run|^runs$|^costP\d/.test(measure) ? 'runs' : 'calls')),
  ),
]

const togetherOf = (waiting: readonly Waiting[]): readonly Together[] =>
  [...Map.groupBy(waiting, ({ key }) => key).values()].flatMap((members): readonly Together[] => {
    if (members.some(({ filter }) => filter === undefined)) return [widened(members, undefined)]
    return [...Map.groupBy(members, ({ filter }) => filter?.by).values()].flatMap(byAttribute)
  })

/** Of one attribute, as many values at once as a filter can name. */
const byAttribute = (members: readonly Waiting[]): readonly Together[] => {
  const [filter] = members.flatMap((member) => member.filter ?? [])
  const values = [...new Set(members.flatMap((member) => member.filter?.values ?? []))]
  return Array.from({ length: Math.ceil(values.length / filterValuesMax) }, (_, part) => {
    const some = values.slice(part * filterValuesMax, (part + 1) * filterValuesMax)
    return widened(
      members.filter((member) => some.includes(member.filter?.values[0] ?? null)),
      filter && { ...filter, values: some },
    )
  })
}

const widened = (members: readonly Waiting[], filter: Filter | undefined): Together => {
  const wider = members[0]?.wider as Waiting['wider']
  const measures = [...new Set(members.flatMap(({ question }) => question.measures))]
  return { question: { ...wider, measures, where: [...wider.where, ...(filter === undefined ? [] : [filter])] }, members }
}

const rowsFor = ({ question, filter }: Waiting, rows: readonly AnswerRow[]): readonly AnswerRow[] => {
  const own = filter === undefined ? rows : rows.filter((row) => row[filter.by] === filter.values[0])
  // A question without a breakdown has a row, also of nothing.
  return own.length > 0 || question.by.length > 0 || filter === undefined
    ? own
    : answerOf(question, [{ key: [], sums: emptySums() }], emptySums()).rows
}
