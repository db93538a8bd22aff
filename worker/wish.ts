// What a node of the fleet is to do now, as its own document tells: work, end what it has, or leave everything alone.
export const wishes = ['work', 'drain', 'leave'] as const
export type Wish = (typeof wishes)[number]

/** As much of a node's document as its worker goes by. */
export interface NodeDocument {
  readonly state: string
  readonly boot?: { readonly id: string }
}

/** Only what its own boot is told counts: a process that slept finds another one, or nobody, in its place. */
export function wishOf(node: NodeDocument | undefined, bootId: string): Wish {
  if (node?.boot?.id !== bootId) return 'leave'
  if (node.state === 'ready') return 'work'
  return node.state === 'draining' ? 'drain' : 'leave'
}

/** A former worker may come back once the node was woken anew; earlier, it would fight with the one that came after it. */
export const isWokenAnew = (node: NodeDocument | undefined): boolean => node?.state === 'starting'

export const stricter = (a: Wish, b: Wish): Wish => (wishes.indexOf(a) > wishes.indexOf(b) ? a : b)
