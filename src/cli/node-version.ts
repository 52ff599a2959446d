/** As in package.json. Older ones have no `node:sqlite`, or only behind a flag. */
export const nodeNeeded = '22.18'

/** What to say to someone whose Node is too old; undefined when it will do. */
export const refusalOfNode = (version: string): string | undefined => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [majorNeeded = 0, minorNeeded = 0] = nodeNeeded.split('.').map(Number)
  if (major > majorNeeded || (major === majorNeeded && minor >= minorNeeded)) return undefined
  return `taximeter needs Node ${nodeNeeded} or newer, and this is ${version}. Install it from https://nodejs.org, or run: npx -p node@24 -p taximeter taximeter`
}
