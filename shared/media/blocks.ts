// Which blocks of sources stay in memory: those asked for twice (an index) outlive those passed once (the film).
type Block = Promise<Uint8Array>

export interface BlockCache {
  /** The block under `key`; concurrent asks for one that is missing fetch it once. */
  get(key: string, fetch: () => Block): Block
}

/** A segmented LRU: the first ask puts a block on probation, the second protects it. */
export function createBlockCache(limits: { passing: number; kept: number }): BlockCache {
  const passing = new Map<string, Block>()
  const kept = new Map<string, Block>()

  function put(tier: Map<string, Block>, key: string, block: Block, limit: number): void {
    tier.set(key, block)
    if (tier.size > limit)
      for (const oldest of [...tier.keys()].slice(0, tier.size - limit)) tier.delete(oldest)
  }

  return {
    get(key, fetch) {
      const known = kept.get(key) ?? passing.get(key)
      if (known) {
        passing.delete(key)
        kept.delete(key)
        put(kept, key, known, limits.kept)
        return known
      }
      const block = fetch()
      put(passing, key, block, limits.passing)
      block.catch(() => {
        if (passing.get(key) === block) passing.delete(key)
        if (kept.get(key) === block) kept.delete(key)
      })
      return block
    },
  }
}
