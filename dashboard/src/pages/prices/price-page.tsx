import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { PeriodAnswer, PriceDetailJson, RatesAnswer, Unit } from '../../../../src/server/api.ts'
import { usePrice } from '../../api/use-lists.ts'
import { compact, count, exactUsd } from '../../format/numbers.ts'
import { filterText } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Badge } from '../../ui/controls.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { SafeLink } from '../../ui/safe-link.tsx'
import { Asked } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'
import { ConfidenceBadge } from './confidence-badge.tsx'

/** One model through time: every price that ever held, with who says so. */
export const PricePage = (): ReactNode => {
  const { provider, model } = useParams({ strict: false }) as { provider: string; model: string }
  const query = usePrice(provider, model)
  return (
    <>
      <PageHead
        title={query.data?.model ?? model}
        tab={`Price of ${model}`}
        note={
          <span className="flex flex-wrap gap-x-4">
            <span>{query.data?.providerName ?? provider}</span>
            <ViewLink
              to="/models"
              patch={{ where: [filterText({ by: 'model', values: [query.data?.model ?? model], isNot: false })] }}
              className="link"
            >
              What it cost you
            </ViewLink>
            <ViewLink to="/prices" className="link">
              All prices
            </ViewLink>
          </span>
        }
      />
      <Asked query={query}>{(price) => <History price={price} />}</Asked>
    </>
  )
}

const History = ({ price }: { price: PriceDetailJson }): ReactNode => (
  <>
    {(price.aliases !== undefined || price.outputMax !== undefined) && (
      <dl className="flex flex-wrap gap-x-8 gap-y-2 text-[0.8125rem]">
        {price.aliases !== undefined && (
          <div>
            <dt className="text-xs text-ink-3">Also called</dt>
            <dd>
              <bdi>{price.aliases.join(', ')}</bdi>
            </dd>
          </div>
        )}
        {price.outputMax !== undefined && (
          <div>
            <dt className="text-xs text-ink-3">Longest answer</dt>
            <dd>{count(price.outputMax)} tokens</dd>
          </div>
        )}
      </dl>
    )}
    {price.periods.map((period) => (
      <Period key={period.from ?? 'always'} period={period} price={price} isCurrent={period.from === price.current?.from} />
    ))}
  </>
)

const Period = ({ period, price, isCurrent }: { period: PeriodAnswer; price: PriceDetailJson; isCurrent: boolean }): ReactNode => (
  <Card
    title={period.from === undefined ? 'Since ever' : `From ${period.from}`}
    note={period.source === undefined ? undefined : <>Source: {<SafeLink href={period.source} />}</>}
    actions={
      <span className="flex gap-2">
        {isCurrent && <Badge tone="accent">now</Badge>}
        <ConfidenceBadge confidence={period.confidence} />
      </span>
    }
  >
    <Rates rates={period.rates} price={price} title="Rates" />
    {period.tiers?.map((tier) => (
      <Rates
        key={tier.threshold}
        rates={tier.rates}
        price={price}
        title={`Prompts ${tier.op === 'gte' ? 'of at least' : 'of more than'} ${count(tier.threshold)} tokens`}
      />
    ))}
    {period.hours?.map((hours) => (
      <Rates
        key={`${hours.from} ${hours.days}`}
        rates={hours.rates}
        price={price}
        title={`${hours.from} to ${hours.to} UTC${hours.days === undefined ? '' : ` on ${hours.days.map((day) => weekdays[day]).join(', ')}`}`}
      />
    ))}
    {period.variants?.map((variant) => {
      const name = [variant.tier, variant.speed, variant.region, variant.regions?.join(' or ')]
        .filter((part) => part !== undefined)
        .join(', ')
      return (
        <div key={name} className="mt-4">
          <p className="text-[0.8125rem] font-medium">
            {name}
            {variant.multiply !== undefined && <span className="font-normal text-ink-2"> every token rate × {variant.multiply}</span>}
          </p>
          {variant.rates !== undefined && <Rates rates={variant.rates} price={price} title="Other rates" />}
        </div>
      )
    })}
  </Card>
)

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const Rates = ({ rates, price, title }: { rates: RatesAnswer; price: PriceDetailJson; title: string }): ReactNode => (
  <table className="mt-2 w-full max-w-xl text-[0.8125rem]">
    <caption className="pb-1 text-left text-xs font-medium text-ink-3">{title}</caption>
    <tbody>
      {(Object.entries(rates) as [Unit, string][]).map(([unit, rate]) => (
        <tr key={unit} className="border-t border-line">
          <th scope="row" className="py-1.5 text-left font-normal">
            {price.units[unit]?.title ?? unit}
          </th>
          <td className="py-1.5 pl-4 text-right font-medium whitespace-nowrap">
            {exactUsd(rate)}
            <span className="pl-1 font-normal text-ink-3">{perText(price.units[unit]?.per)}</span>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

const perText = (per: number | undefined): string =>
  per === undefined ? '' : per === 1 ? 'each' : per === 3_600_000 ? 'per hour' : `per ${compact(per).replace('.00', '')}`
