/** Whose call it was and what for: the names that a user gives. All optional, all bounded, none a prompt. */
export interface Attribution {
  readonly agent?: string
  readonly session?: string
  readonly run?: string
  readonly step?: string
  readonly task?: string
  readonly release?: string
  readonly environment?: string
  readonly team?: string
  readonly user?: string
  /** The public id of the client key that the call came with; never the key. */
  readonly key?: string
  readonly tags?: Readonly<Record<string, string>>
}

export const attributeNames = ['agent', 'session', 'run', 'step', 'task', 'release', 'environment', 'team', 'user', 'key'] as const
export type AttributeName = (typeof attributeNames)[number]

export const attributeCharsMax = 200
export const tagsMax = 16
export const tagKeyCharsMax = 64
