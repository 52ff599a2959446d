import { contentPolicy } from './dashboard-files.ts'

/** The page at `/` where no dashboard was built. */
export const welcomePage = (version: string): Response =>
  page(
    200,
    'taximeter',
    `<h1>taximeter ${escaped(version)}</h1>
<p>The meter runs. The dashboard is not built here; <code>npm run build</code> makes it.</p>
<ul>
<li><a href="/v1/query?measure=cost,calls,tokens&amp;by=model&amp;last=24h">What the last 24 hours cost, by model</a></li>
<li><a href="/v1/runs">The newest runs</a></li>
<li><a href="/metrics">Metrics for Prometheus</a></li>
<li><a href="/openapi.json">Every route, as OpenAPI</a></li>
</ul>`,
  )

/** Asks a browser for a key. `hasFailed`: the one that was given is not known. */
export const signInPage = (hasFailed: boolean): Response =>
  page(
    401,
    'taximeter: sign in',
    `<h1>taximeter</h1>
<form method="post" action="/-/sign-in">
<p><label for="key">This server asks for a key.</label></p>
${hasFailed ? '<p role="alert">This key is not known.</p>' : ''}
<p><input id="key" name="key" type="password" autocomplete="current-password" required autofocus> <button>Sign in</button></p>
</form>`,
  )

const page = (status: number, title: string, body: string): Response =>
  new Response(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
${body}
</html>
`,
    {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': contentPolicy, 'cache-control': 'no-store' },
    },
  )

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
