import { clipped, linkOf, titleOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

/** A Slack incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slackNotifier = (name: string, options: PostOptions): Notifier => {
  const post = createPost(options)
  return {
    name,
    send: (notice, signal) => {
      const title = titleOf(notice)
      // A message holds at most 50 blocks, a text 3,000 characters.
      const blocks = notice.alerts.slice(0, 45).map((alert) => {
        const link = linkOf(notice, alert)
        return {
          type: 'section',
          text: { type: 'mrkdwn', text: clipped(`${escaped(alert.message)}${link === undefined ? '' : `\n<${link}|Look at it>`}`, 3_000) },
        }
      })
      return post(
        { text: title, blocks: [{ type: 'header', text: { type: 'plain_text', text: clipped(title, 150) } }, ...blocks] },
        {},
        signal,
      )
    },
    close: post.close,
  }
}

/** Names come from callers: these three characters are all that Slack's text gives a meaning to (mentions, links). */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
