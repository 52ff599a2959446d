import type { ReactNode } from 'react'

/** A link to a page of somebody else's, from data: only ever to the web, never to a script. */
export const SafeLink = ({ href }: { href: string }): ReactNode => {
  const url = URL.parse(href)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return <bdi>{href}</bdi>
  return (
    <a href={url.href} target="_blank" rel="noreferrer noopener" className="link">
      {url.hostname}
    </a>
  )
}
