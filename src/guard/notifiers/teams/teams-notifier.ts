import { clipped, linkOf, titleOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

/** A Microsoft Teams workflow webhook, which takes an adaptive card: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/ */
export const teamsNotifier = (name: string, options: PostOptions): Notifier => {
  const post = createPost(options)
  return {
    name,
    send: (notice, signal) => {
      const lines = notice.alerts
        .slice(0, 30)
        .map((alert) => ({ type: 'TextBlock', wrap: true, text: clipped(escaped(alert.message), 1_000) }))
      const [first] = notice.alerts
      const url = first && linkOf(notice, first)
      const content = {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [{ type: 'TextBlock', size: 'Medium', weight: 'Bolder', wrap: true, text: clipped(escaped(titleOf(notice)), 200) }, ...lines],
        ...(url !== undefined && { actions: [{ type: 'Action.OpenUrl', title: 'Look at it', url }] }),
      }
      return post({ type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] }, {}, signal)
    },
    close: post.close,
  }
}

/** Cards read Markdown: a name must not become a link or a mention. */
const escaped = (text: string): string => text.replace(/[\\`*_[\]<>]/g, (character) => `\\${character}`)
