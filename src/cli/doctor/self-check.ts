import { existsSync } from 'node:fs'
import type { SelfCheck, SelfCheckPoint } from '../../analysis/self-check.ts'
import type { LoadedConfig } from '../../config/load-config.ts'
import { answerOf, emptySums } from '../../core/answer.ts'
import type { Question } from '../../core/question.ts'
import type { Rule } from '../../guard/alerts/rule.ts'
import { askSelfCheck } from '../../server/self-check.ts'
import { rulesOf } from '../alerting.ts'
import type { Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { chosenBudgets } from '../settled.ts'

/** The nine points of a project's cost monitoring; a ledger that does not exist yet is an empty one. */
export const selfCheck = async (loaded: LoadedConfig, { now }: Pick<Io, 'now'>): Promise<SelfCheck> => {
  const about = { now, rules: () => readableRules(loaded), budgets: () => chosenBudgets(loaded).length }
  if (!existsSync(loaded.config.data))
    return askSelfCheck({ ...about, ask: async (question: Question) => answerOf(question, [], emptySums()) })
  const store = await openLedger(loaded.config, { mustExist: true })
  try {
    return await askSelfCheck({ ...about, ask: store.ask })
  } finally {
    await store.close()
  }
}

/** Rules that cannot be read are told of by the checks; here they are none. */
const readableRules = (loaded: LoadedConfig): readonly Rule[] => {
  try {
    return rulesOf(loaded)
  } catch {
    return []
  }
}

export const selfCheckText = ({ done, of, points }: SelfCheck): string => [`Progress: ${done}/${of}`, ...points.flatMap(linesOf)].join('\n')

const linesOf = ({ title, isDone, says, add }: SelfCheckPoint): readonly string[] => [
  `${isDone ? '✓' : '·'} ${title}: ${says}`,
  ...(add === undefined ? [] : [`    add  ${add}`]),
]
