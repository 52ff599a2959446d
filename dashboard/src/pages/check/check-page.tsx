import type { ReactNode } from 'react'
import type { SelfCheckAnswer } from '../../../../src/server/api.ts'
import { useSelfCheck } from '../../api/use-lists.ts'
import { CheckBar } from '../../segments/check-bar.tsx'
import { Card } from '../../ui/card.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { Icon } from '../../ui/icon.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'

/** Whether an overspend would be noticed and explained: nine points that the ledger and the configuration answer. */
export const CheckPage = (): ReactNode => {
  const query = useSelfCheck()
  return (
    <>
      <PageHead title="Self-check" note="Whether an overspend would be noticed and explained. Of the last seven days." />
      <Asked query={query}>
        {(check) =>
          check === null ? (
            <Card title="Progress">
              <Empty title="This server has no self-check" />
            </Card>
          ) : (
            <Points check={check} />
          )
        }
      </Asked>
    </>
  )
}

/** What is missing first: that is what one came for. */
const Points = ({ check }: { check: SelfCheckAnswer }): ReactNode => (
  <Card title={`Progress: ${check.done}/${check.of}`} isFlush>
    <div className="px-4 pb-4">
      <CheckBar check={check} className="h-2" />
    </div>
    <ol aria-label="Points" className="divide-y divide-line border-t border-line">
      {check.points
        .toSorted((left, right) => Number(left.isDone) - Number(right.isDone))
        .map((point) => (
          <li key={point.id} className="flex gap-3 px-4 py-3">
            <Icon name={point.isDone ? 'check' : 'warn'} className={`mt-0.5 size-4 ${point.isDone ? 'text-ok' : 'text-warn'}`} />
            <div className="min-w-0 flex-1">
              <p className="font-medium">
                <span className="sr-only">{point.isDone ? 'Done: ' : 'Missing: '}</span>
                {point.title}
              </p>
              <p className="text-[0.8125rem] text-ink-2">
                <bdi>{point.says}</bdi>
              </p>
              {point.add !== undefined && <Additions text={point.add} />}
            </div>
          </li>
        ))}
    </ol>
  </Card>
)

/** What to add: the line itself, and in words how else. */
const Additions = ({ text }: { text: string }): ReactNode => {
  const [line = text, ...others] = text.split(/ {4}(?=or )| (?=in taximeter\.yaml)/)
  return (
    <div className="mt-2 max-w-3xl">
      <CodeBlock text={line} />
      {others.map((other) => (
        <p key={other} className="mt-1 text-xs text-ink-2">
          {other}
        </p>
      ))}
    </div>
  )
}
