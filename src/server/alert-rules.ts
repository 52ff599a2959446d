import type { Filter } from '../core/question.ts'
import type { Preview } from '../guard/alerts/preview.ts'
import type { Rule } from '../guard/alerts/rule.ts'
import type { AlertRuleJson, AlertRulesAnswer, PreviewJson } from './api.ts'
import { instant } from './entry-json.ts'

export interface AlertRulesOptions {
  readonly rules: () => readonly Rule[]
  /** Tries a rule on the last 30 days. */
  readonly preview: (rule: Rule, onProgress: (share: number) => void, signal: AbortSignal) => Promise<Preview>
  readonly now: () => number
  readonly onError: (error: unknown, rule: string) => void
}

export interface AlertRules {
  /** The rules with what is known of their previews; what is missing or old is begun, one rule at a time. */
  answer(): AlertRulesAnswer
  close(): Promise<void>
}

interface Tried {
  readonly rule: string
  readonly at: number
  progress: number
  preview?: PreviewJson
}

/** Trying thirty days again takes a while, and a few hours change little of them. */
const freshMs = 6 * 3_600_000

export const createAlertRules = (options: AlertRulesOptions): AlertRules => {
  const tried = new Map<string, Tried>()
  const closing = new AbortController()
  let working: Promise<void> | undefined

  const tryRule = async (rule: Rule): Promise<void> => {
    const before = tried.get(rule.name)
    const text = textOf(rule)
    // While it is tried again what is known of it is shown; of another rule of that name nothing is.
    const attempt: Tried = {
      rule: text,
      at: options.now(),
      progress: 0,
      ...(before?.rule === text && before.preview && { preview: before.preview }),
    }
    tried.set(rule.name, attempt)
    try {
      const preview = await options.preview(rule, (share) => void (attempt.progress = share), closing.signal)
      attempt.preview = previewJson(preview)
      attempt.progress = 1
    } catch (error) {
      if (!closing.signal.aborted) options.onError(error, rule.name)
    }
  }

  const isFresh = (rule: Rule): boolean => {
    const known = tried.get(rule.name)
    return known !== undefined && known.rule === textOf(rule) && options.now() - known.at < freshMs
  }

  const work = async (): Promise<void> => {
    for (
      let rule = options.rules().find((each) => !isFresh(each));
      rule !== undefined;
      rule = options.rules().find((each) => !isFresh(each))
    ) {
      if (closing.signal.aborted) return
      await tryRule(rule)
    }
  }

  return {
    answer() {
      const rules = options.rules()
      const names = new Set(rules.map(({ name }) => name))
      for (const name of tried.keys()) if (!names.has(name)) tried.delete(name)
      if (!closing.signal.aborted)
        working ??= work().finally(() => {
          working = undefined
        })
      return { rules: rules.map((rule) => ruleJson(rule, tried.get(rule.name))) }
    },
    async close() {
      closing.abort()
      await working
    },
  }
}

const textOf = (rule: Rule): string => JSON.stringify(rule)

const ruleJson = (rule: Rule, known: Tried | undefined): AlertRuleJson => {
  const { kind, ...condition } = rule.condition
  const { name, severity, by, forMs, floorUsd, notify } = rule
  const isSame = known?.rule === textOf(rule)
  return {
    name,
    kind,
    severity,
    by,
    where: rule.where.map(filterText),
    forMs,
    floorUsd,
    ...(notify && { notify }),
    condition,
    progress: isSame ? known.progress : 0,
    ...(isSame && known.preview && { preview: known.preview }),
  }
}

const filterText = ({ by, values, isNot }: Filter): string => `${isNot ? '-' : ''}${by}:${values.map((value) => value ?? '').join(',')}`

export const previewJson = ({ from, to, isComplete, stepMs, fired }: Preview): PreviewJson => ({
  from: instant(from),
  to: instant(to),
  isComplete,
  stepMs,
  fired: fired.map(({ at, resolvedAt, segment, message, cause }) => ({
    at: instant(at),
    ...(resolvedAt !== undefined && { resolvedAt: instant(resolvedAt) }),
    segment,
    message,
    ...(cause !== undefined && { cause }),
  })),
})
