import { parseAst } from 'vite'

/** A node of the syntax tree, as far as the tests look at it. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export const parseSource = (text: string, path: string): SyntaxNode =>
  parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }) as unknown as SyntaxNode

export const walk = (node: SyntaxNode, visit: (node: SyntaxNode) => void): void => {
  visit(node)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && 'type' in child) walk(child as SyntaxNode, visit)
    }
  }
}
