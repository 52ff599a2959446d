import { json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** What lies ahead, and whether it would be noticed: the routes of the parts that are wired. */
export const outlookRoutes = ({ forecast, alertRules, selfCheck }: Services): readonly Route[] => [
  ...optional(forecast, {
    path: '/v1/forecast',
    title: 'What will be spent by the end of the day, week, month and of each budget, and when budgets run out.',
    answers: { 200: json('ForecastAnswer', 'Four times in five it lies from low to high.') },
  }),
  ...optional(alertRules, {
    path: '/v1/alerts/rules',
    title: 'The rules of alerts, and when each would have told of something in the last 30 days.',
    answers: { 200: json('AlertRulesAnswer', 'The rules; previews are worked out one after the other, ask again for the rest.') },
  }),
  ...optional(selfCheck, {
    path: '/v1/self-check',
    title: "The nine points of a project's cost monitoring: what is there, what is missing, and what to add.",
    answers: { 200: json('SelfCheckAnswer', 'The nine points.') },
  }),
]

const optional = (answer: (() => unknown) | undefined, described: Pick<Route, 'path' | 'title' | 'answers'>): readonly Route[] =>
  answer === undefined ? [] : [route({ ...described, method: 'GET', uses: ['read'], handle: async () => jsonAnswer(await answer()) })]
