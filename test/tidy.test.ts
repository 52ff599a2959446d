import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseSource, type SyntaxNode, walk } from './syntax.ts'

const root = resolve(import.meta.dirname, '..')

/** Which folder of `src/` may import which. `types` may be imported with `import type` only. The same table stands in ARCHITECTURE.md. */
const mayImport: Readonly<Record<string, { readonly values: readonly string[]; readonly types?: readonly string[] }>> = {
  core: { values: [] },
  providers: { values: ['core'] },
  ledger: { values: ['core'] },
  analysis: { values: ['core'] },
  config: { values: ['core'] },
  network: { values: ['core'] },
  sources: { values: ['core', 'providers'] },
  intake: { values: ['core', 'providers'], types: ['ledger'] },
  guard: { values: ['core', 'analysis', 'network'], types: ['ledger'] },
  sdk: { values: ['core', 'providers'], types: ['intake', 'guard'] },
  gateway: { values: ['core', 'providers', 'network'], types: ['intake', 'guard'] },
  server: { values: ['core', 'intake', 'guard', 'analysis', 'sources'], types: ['ledger'] },
  cli: {
    values: [
      'core',
      'providers',
      'ledger',
      'analysis',
      'config',
      'network',
      'sources',
      'intake',
      'guard',
      'sdk',
      'gateway',
      'server',
      'entry',
    ],
  },
  entry: {
    values: [
      'core',
      'providers',
      'ledger',
      'analysis',
      'config',
      'network',
      'sources',
      'intake',
      'guard',
      'sdk',
      'gateway',
      'server',
      'cli',
      'entry',
    ],
  },
}

const filesUnder = (folder: string): readonly string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/node_modules|[\\/]dist([\\/]|$)/.test(entry.parentPath))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    : []

const isTest = (path: string): boolean => /\.(test|contract|child)\.tsx?$|\/contract\//.test(path)
const sources = filesUnder('src').filter((path) => /\.ts$/.test(path))
const shipped = sources.filter((path) => !isTest(path))
const all = [...sources, ...['dashboard/src', 'test', 'bench', 'scripts'].flatMap(filesUnder).filter((path) => /\.tsx?$/.test(path))]
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const folderOf = (path: string): string => (dirname(path) === 'src' ? 'entry' : (path.split('/')[1] ?? ''))

interface Import {
  readonly from: string
  readonly isType: boolean
}

/** The imports of a file, dynamic ones included. An import whose names are all types is a type import. */
const importsOf = (path: string): readonly Import[] => {
  const found: Import[] = []
  walk(parseSource(read(path), path), (node) => {
    const source = node.source as SyntaxNode | undefined
    if (source?.type !== 'Literal' || typeof source.value !== 'string') return
    const specifiers = (node.specifiers ?? []) as readonly SyntaxNode[]
    const isType =
      node.importKind === 'type' ||
      node.exportKind === 'type' ||
      (specifiers.length > 0 && specifiers.every((each) => each.importKind === 'type' || each.exportKind === 'type'))
    found.push({ from: source.value, isType })
  })
  return found
}

describe('imports', () => {
  test.each(shipped)('%s imports only what its folder may', (path) => {
    const folder = folderOf(path)
    const allowed = mayImport[folder]
    expect(allowed, `src/${folder} is not in the table`).toBeDefined()
    const refused = importsOf(path).filter(({ from, isType }) => {
      if (!from.startsWith('.')) return folder === 'core'
      const target = relative(root, resolve(root, dirname(path), from))
      // The package's manifest and its price book are data that the wiring reads.
      if (!target.startsWith('src/')) return folder !== 'entry' && folder !== 'cli'
      const to = folderOf(target)
      return to !== folder && !allowed?.values.includes(to) && !(isType && allowed?.types?.includes(to))
    })
    expect(refused).toEqual([])
  })

  test('the dashboard imports nothing of src but the types of its API', () => {
    const refused = filesUnder('dashboard/src')
      .filter((path) => /\.tsx?$/.test(path) && !isTest(path))
      .flatMap((path) =>
        importsOf(path).filter(
          ({ from, isType }) =>
            /(^|\/)src\//.test(relative(root, resolve(root, dirname(path), from))) &&
            relative(root, resolve(root, dirname(path), from)).startsWith('src/') &&
            !(isType && from.endsWith('/server/api.ts')),
        ),
      )
    expect(refused).toEqual([])
  })
})

/** The files that import each other in a circle, types included; each circle once, as the way around it. */
const circlesIn = (paths: readonly string[]): readonly string[] => {
  const targets = new Map(
    paths.map((path) => [
      path,
      importsOf(path).flatMap(({ from }) => (from.startsWith('.') ? [relative(root, resolve(root, dirname(path), from))] : [])),
    ]),
  )
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '))
    if (way.includes(path) || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of paths) visit(path, [])
  return circles
}

test('no files import each other in a circle', () => {
  expect(circlesIn(all)).toEqual([])
})

/** What must not be there: a pattern, where it may not stand, and where it may all the same. */
const absences: readonly { readonly what: string; readonly pattern: RegExp; readonly within: RegExp; readonly but?: RegExp }[] = [
  { what: 'a clock', pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\./, within: /^src\/(core|analysis)\// },
  { what: 'randomness', pattern: /\bMath\.random\(|\brandomUUID\(|\bgetRandomValues\(/, within: /^src\/(core|analysis)\// },
  { what: 'await', pattern: /\bawait\b|\basync\b/, within: /^src\/core\// },
  { what: 'the process or node', pattern: /\bprocess\.|['"]node:/, within: /^src\/core\// },
  { what: 'arguments or environment', pattern: /\bprocess\.(argv|env)\b/, within: /^src\//, but: /^src\/cli\// },
  { what: 'listen', pattern: /\.listen\(/, within: /^src\//, but: /^src\/(cli\/|testing\.ts)/ },
  {
    what: 'SQL',
    pattern: /[`'"]\s*(SELECT|INSERT INTO|INSERT OR|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA)\b/,
    within: /^src\//,
    but: /^src\/ledger\//,
  },
  {
    what: "a provider's name",
    pattern:
      /['"`](openai|anthropic|gemini|ollama|openrouter|mistral|groq|deepseek|xai|cohere|perplexity|bedrock|vertex|azure|moonshotai)['"`]/,
    within: /^src\//,
    but: /^src\/(providers\/|gateway\/upstreams\.ts|sdk\/|cli\/(demo|doctor)\/|testing\.ts)/,
  },
  { what: 'any', pattern: /(:|as|<) any\b/, within: /^(src|dashboard)\// },
]

describe('absences', () => {
  test.each(absences)('$what stands only where it may', ({ pattern, within, but }) => {
    const found = [...shipped, ...filesUnder('dashboard/src')]
      .filter((path) => within.test(path) && !but?.test(path) && !isTest(path))
      .flatMap((path) =>
        withoutComments(read(path))
          .split('\n')
          .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      )
    expect(found).toEqual([])
  })

  test('no folder is a drawer for anything', () => {
    const drawers = all.filter(
      (path) =>
        dirname(path)
          .split('/')
          .some((part) => /^(utils?|helpers?|common|shared|misc|lib)$/.test(part)) ||
        /^(utils?|helpers?|common|misc)\.tsx?$/.test(basename(path)),
    )
    expect(drawers).toEqual([])
  })

  test('scripts are TypeScript', () => {
    expect(filesUnder('scripts').filter((path) => /\.(js|mjs|cjs|sh|py)$/.test(path))).toEqual([])
  })

  test('the published package has no runtime dependencies', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>
    expect([manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies]).toEqual([undefined, undefined, undefined])
  })
})

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')).replace(/(^|\s)\/\/.*$/gm, '$1')

describe('size', () => {
  test.each(all.filter((path) => !isTest(path)))('%s has at most 400 lines', (path) => {
    expect(read(path).split('\n').length - 1).toBeLessThanOrEqual(400)
  })

  test.each(shipped)('the functions of %s have at most 60 lines', (path) => {
    const text = read(path)
    const long: string[] = []
    walk(parseSource(text, path), (node) => {
      if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return
      // A function that returns an object of functions is a folder of its own; what counts is the longest piece that is read at once.
      const lines = text.slice(node.start, node.end).split('\n').length - nestedLines(node, text)
      if (lines > 60) long.push(`${text.slice(0, node.start).split('\n').length}: ${lines} lines`)
    })
    expect(long).toEqual([])
  })
})

/** Lines of the functions directly inside a function, which are counted by themselves. */
const nestedLines = (outer: SyntaxNode, text: string): number => {
  let lines = 0
  const visit = (node: SyntaxNode): void => {
    for (const child of children(node)) {
      if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(child.type))
        lines += text.slice(child.start, child.end).split('\n').length - 1
      else visit(child)
    }
  }
  visit(outer)
  return lines
}

const children = (node: SyntaxNode): readonly SyntaxNode[] =>
  Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is SyntaxNode => typeof value === 'object' && value !== null && 'type' in value)

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md')

  test('names every folder of src and none that does not exist', () => {
    const exist = readdirSync(join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && filesUnder(`src/${entry.name}`).length > 0)
      .map((entry) => entry.name)
    const named = [...text.matchAll(/^\s{2}(\w+)\/\s/gm)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(exist.toSorted())
  })

  test('has the same table of imports as this test', () => {
    for (const [folder, { values, types = [] }] of Object.entries(mayImport)) {
      if (folder === 'cli' || folder === 'entry') continue
      const row = new RegExp(`^\\| ${folder} \\| (.*) \\|$`, 'm').exec(text)?.[1]
      const expected = [...values, ...types.map((type) => `${type} (types)`)].join(', ') || 'nothing'
      expect(row, folder).toBe(expected)
    }
  })

  test('is one page', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(120)
  })
})
