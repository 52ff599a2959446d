import type { ReactNode } from 'react'
import { useSelfCheck } from '../../api/use-lists.ts'
import { CheckBar } from '../../segments/check-bar.tsx'
import { Card } from '../../ui/card.tsx'
import { Asked } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

/** Whether an overspend would be noticed: how many of the nine points hold, and which do not. Left out where nothing is missing. */
export const SelfCheckCard = (): ReactNode => {
  const query = useSelfCheck()
  if (query.data === null || query.error !== null || query.data?.done === query.data?.of) return null
  return (
    <Card
      title="Self-check"
      actions={
        <ViewLink to="/check" className="link text-xs text-ink-2">
          What to add
        </ViewLink>
      }
    >
      <Asked query={query}>
        {(check) =>
          check && (
            <div className="flex flex-col gap-2">
              <p className="text-xs text-ink-2">
                <span className="text-sm font-medium text-ink">
                  {check.done}/{check.of}
                </span>{' '}
                points hold
              </p>
              <CheckBar check={check} />
              <ul className="text-xs text-ink-2">
                {check.points
                  .filter(({ isDone }) => !isDone)
                  .map((point) => (
                    <li key={point.id} className="py-0.5">
                      Not yet: {point.title.toLowerCase()}
                    </li>
                  ))}
              </ul>
            </div>
          )
        }
      </Asked>
    </Card>
  )
}
