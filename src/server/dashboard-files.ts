import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** The built dashboard. Only files that were found in the folder are answered, so that no path leads out of it. */
export interface DashboardFiles {
  /** The file of a path, or the page for every path that is a view of it; undefined when there is no such file. */
  answer(
    path: string,
    asked: { readonly acceptsGzip: boolean; readonly acceptsHtml: boolean; readonly ifNoneMatch: string | undefined },
  ): Promise<Response | undefined>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

export const filesMax = 1_000

interface File {
  readonly body: Buffer<ArrayBuffer>
  readonly zipped: Buffer<ArrayBuffer> | undefined
  readonly type: string
  readonly etag: string
  readonly isImmutable: boolean
}

export const createDashboardFiles = (folder: string): DashboardFiles => {
  let names: Promise<ReadonlySet<string>> | undefined
  const files = new Map<string, Promise<File>>()

  const fileOf = (name: string): Promise<File> => {
    let file = files.get(name)
    if (file === undefined) files.set(name, (file = loadFile(folder, name)))
    return file
  }

  return {
    async answer(path, asked) {
      // Looked for again until there is a page, so that a dashboard built while the server runs is found.
      const known = await (names ??= listFiles(folder))
      if (!known.has('index.html')) names = undefined
      const name = path.slice(1)
      const isFile = known.has(name)
      // A view may end in what looks like a file's ending: /models/gpt-4.1.
      const isView = !isFile && asked.acceptsHtml && !name.startsWith('assets/') && known.has('index.html')
      if (!isFile && !isView) return undefined
      return fileAnswer(await fileOf(isFile ? name : 'index.html'), asked)
    },
  }
}

const listFiles = async (folder: string): Promise<ReadonlySet<string>> => {
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = found.filter((entry) => entry.isFile() && extname(entry.name) in types)
    return new Set(files.slice(0, filesMax).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')))
  } catch {
    return new Set()
  }
}

const zip = promisify(gzip)

const loadFile = async (folder: string, name: string): Promise<File> => {
  const body = await readFile(join(folder, name))
  const type = types[extname(name)] ?? 'application/octet-stream'
  const zipped = /^(?:text|application|image\/svg)/.test(type) && body.length > 1_024 ? await zip(body, { level: 9 }) : undefined
  return {
    body,
    zipped,
    type,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    // The bundler writes a hash of the content into these names: another content is another name.
    isImmutable: /^assets\/.+-[\w-]{8,}\.\w+$/.test(name),
  }
}

const fileAnswer = (file: File, asked: { readonly acceptsGzip: boolean; readonly ifNoneMatch: string | undefined }): Response => {
  const headers: Record<string, string> = {
    etag: file.etag,
    vary: 'accept-encoding',
    'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(file.type.startsWith('text/html') && { 'content-security-policy': contentPolicy }),
  }
  if (asked.ifNoneMatch === file.etag) return new Response(null, { status: 304, headers })
  headers['content-type'] = file.type
  const isZipped = asked.acceptsGzip && file.zipped !== undefined
  if (isZipped) headers['content-encoding'] = 'gzip'
  return new Response(isZipped ? file.zipped : file.body, { headers })
}

/** Nothing from elsewhere, nothing inline but styles (charts and popovers place themselves with them), in nobody's frame. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')
